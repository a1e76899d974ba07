package org.hirengine.engine.runs;

import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * Files that exist completely or not at all, even if the process dies: written under {@code
 * NAME.tmp}, then renamed.
 */
final class AtomicFile {

  static final String SUFFIX = ".tmp";

  private AtomicFile() {}

  /** Writes the content of a file. */
  @FunctionalInterface
  interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /**
   * Replaces or creates {@code file}; a power cut soon afterwards may still lose it.
   *
   * @throws RunException when it cannot be written
   */
  static void write(Path file, Content content) {
    write(file, content, false);
  }

  /** Replaces or creates {@code file}, and returns once it is on disk. */
  static void writeDurably(Path file, String text) {
    write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)), true);
  }

  private static void write(Path file, Content content, boolean durable) {
    Path aside = file.resolveSibling(file.getFileName() + SUFFIX);
    try {
      // A stream and not a channel, because an interrupt would close a channel in the middle of a
      // write.
      try (OutputStream out = Files.newOutputStream(aside)) {
        content.writeTo(out);
      }
      if (durable) {
        try (RandomAccessFile written = new RandomAccessFile(aside.toFile(), "rw")) {
          written.getFD().sync();
        }
      }
      Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw RunException.io("write", file, e, "free disk space or choose another 'out'");
    }
  }
}
