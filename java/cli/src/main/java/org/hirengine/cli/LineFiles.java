package org.hirengine.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.stream.Collectors;
import org.hirengine.replay.JsonLines;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** The {@code --in} and {@code --out} of commands that turn JSON Lines into JSON Lines. */
final class LineFiles {

  private static final String BESIDE_THE_OUTPUT = "";

  @Option(
      names = "--in",
      required = true,
      paramLabel = "FILE",
      description = "JSON Lines to read; - is standard input.")
  private String in;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE",
      description =
          "JSON Lines to write; - is standard output. A file appears when it is complete.")
  private String out;

  @Option(
      names = "--skip-bad",
      arity = "0..1",
      fallbackValue = BESIDE_THE_OUTPUT,
      paramLabel = "FILE",
      description =
          "Leave out lines that cannot be used and write them with reasons to FILE (default: the"
              + " output's name and .bad.jsonl); otherwise the first one is an error.")
  private @Nullable String skipBad;

  /** The input's name in errors. */
  String inputName() {
    return InputFile.describe(in);
  }

  InputStream open() throws IOException {
    return InputFile.open(in);
  }

  /** Opens the input of a command that shows progress. */
  InputStream open(InputFile.Meter meter) throws IOException {
    return InputFile.open(in, meter);
  }

  OutputFile create() throws IOException {
    return new OutputFile(out);
  }

  /** The output of a long-running command ({@link RowFile#open}). */
  RowFile create(ResumeOption resume, ObjectNode setup, CommandSpec spec) throws IOException {
    return RowFile.open(out, resume.given(), setup, spec.commandLine().getErr());
  }

  /** Whether there is nothing to do, because the run to continue had finished. */
  boolean complete(ResumeOption resume, CommandSpec spec) {
    return resume.complete(out, spec.commandLine().getErr());
  }

  /** Where bad lines go. */
  Quarantine quarantine() throws IOException {
    boolean unnamed = BESIDE_THE_OUTPUT.equals(skipBad);
    if (unnamed && OutputFile.isStandard(out)) {
      throw new Failure(
          "--skip-bad needs a file for bad lines when the output is standard output",
          "name a file: --skip-bad=bad.jsonl");
    }
    return new Quarantine(inputName(), unnamed ? out + ".bad.jsonl" : skipBad);
  }

  /**
   * Prints the closing counts: to standard output, or to standard error if standard output carries
   * data.
   */
  void report(CommandSpec spec, ObjectNode counts, Quarantine bad, boolean json) {
    if (bad.open()) {
      counts.put("bad_rows", bad.rows());
    }
    PrintWriter to =
        OutputFile.isStandard(out) ? spec.commandLine().getErr() : spec.commandLine().getOut();
    to.println(counts(counts, json));
    to.flush();
  }

  /** Counts on a separate line. */
  static String counts(ObjectNode counts, boolean json) {
    return json
        ? JsonLines.write(counts)
        : counts.properties().stream()
            .map(count -> count.getKey().replace('_', ' ') + " " + count.getValue().asText())
            .collect(Collectors.joining(", "));
  }
}
