package org.hirengine.cli;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/**
 * Input by its name on the command line: {@code -} is standard input, what is on the Hub is
 * fetched, gzip is unpacked.
 */
final class InputFile {

  private static final int GZIP_MAGIC = 0x1F8B;

  private InputFile() {}

  /** Whether a file is on the Hub: {@code hf://datasets/OWNER/NAME/FILE}. */
  static boolean isOnHub(String name) {
    return name.startsWith("hf://");
  }

  static InputStream open(String given) throws IOException {
    String name =
        isOnHub(given)
            ? Downloads.file(given, new PrintWriter(System.err, true, StandardCharsets.UTF_8))
                .toString()
            : given;
    if (!name.equals(OutputFile.STANDARD) && Files.isDirectory(Path.of(name))) {
      throw new Failure(name + " is a folder", "name a file to read");
    }
    InputStream in =
        new BufferedInputStream(
            name.equals(OutputFile.STANDARD) ? System.in : Files.newInputStream(Path.of(name)),
            1 << 16);
    in.mark(2);
    int magic = in.read() << 8 | in.read();
    in.reset();
    return magic == GZIP_MAGIC ? new GZIPInputStream(in, 1 << 16) : in;
  }

  /** What errors call the input. */
  static String describe(String name) {
    return name.equals(OutputFile.STANDARD) ? "standard input" : name;
  }
}
