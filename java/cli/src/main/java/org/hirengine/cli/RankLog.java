package org.hirengine.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * {@code ranks/rank-N.log} of a run folder: the output of a rank other than the first. The file is
 * opened at the first message, because by then the first rank has taken the folder.
 */
final class RankLog extends Writer {

  private final Path file;
  private @Nullable Writer out;

  private RankLog(Path file) {
    this.file = file;
  }

  static PrintWriter of(Path runFolder, int rank) {
    return new PrintWriter(
        new RankLog(runFolder.resolve("ranks").resolve("rank-" + rank + ".log")), true);
  }

  @Override
  public void write(char[] text, int from, int length) throws IOException {
    if (out == null) {
      Files.createDirectories(file.toAbsolutePath().getParent());
      out =
          Files.newBufferedWriter(
              file, StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
    out.write(text, from, length);
  }

  @Override
  public void flush() throws IOException {
    if (out != null) {
      out.flush();
    }
  }

  @Override
  public void close() {
    try {
      if (out != null) {
        out.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
