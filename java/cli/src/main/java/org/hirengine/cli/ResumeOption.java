package org.hirengine.cli;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Whether a command continues where a killed one stopped. */
final class ResumeOption {

  @Option(
      names = "--resume",
      description =
          "Continue what an unfinished run with the same options left in OUT.part; the result is"
              + " the same as without the interruption.")
  private boolean resume;

  boolean given() {
    return resume;
  }

  /**
   * Whether the run to continue had finished: the file exists and its part file does not. Reports
   * it.
   */
  boolean complete(String out, PrintWriter err) {
    boolean complete =
        resume
            && !OutputFile.isStandard(out)
            && Files.isRegularFile(Path.of(out))
            && !Files.exists(Path.of(out + ".part"));
    if (complete) {
      err.println(out + " is complete; without --resume it is written anew");
      err.flush();
    }
    return complete;
  }
}
