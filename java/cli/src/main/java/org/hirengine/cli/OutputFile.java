package org.hirengine.cli;

import java.io.BufferedWriter;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Text output that exists completely or not at all: written under a temporary name beside its place
 * and moved there by {@link #commit}. {@code -} is standard output; a pipe, and everything in
 * {@code /dev} or {@code /proc}, is written to directly.
 */
public final class OutputFile implements Closeable {

  /** The name of standard output, and of standard input, on the command line. */
  static final String STANDARD = "-";

  private static final Set<String> STANDARD_NAMES =
      Set.of(STANDARD, "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1");

  private final @Nullable Path target;
  private final @Nullable Path draft;
  private final Writer writer;

  /** Opens the output named {@code name}; its folder must exist. */
  public OutputFile(String name) throws IOException {
    target = isStandard(name) ? null : Path.of(name).toAbsolutePath();
    if (target == null) {
      draft = null;
      writer = utf8(System.out);
    } else if (isDirect(target)) {
      draft = null;
      writer = utf8(openDirect(target, name));
    } else {
      if (!Files.isDirectory(target.getParent())) {
        throw new Failure(
            "the folder of " + name + " does not exist", "create " + target.getParent() + " first");
      }
      // Not createTempFile, whose files nobody else may read.
      String process = "." + ProcessHandle.current().pid() + ".part";
      draft = target.resolveSibling("." + target.getFileName() + process);
      writer = utf8(Files.newOutputStream(draft));
    }
  }

  /** Whether a name means standard output, by any of its names. */
  static boolean isStandard(String name) {
    return STANDARD_NAMES.contains(name);
  }

  /**
   * Whether the output must not be replaced by a move: /dev/stdout stays a link even where it is a
   * file.
   */
  static boolean isDirect(Path target) {
    return (Files.exists(target) && !Files.isRegularFile(target))
        || target.startsWith("/dev")
        || target.startsWith("/proc");
  }

  /** Opens what is written to directly. */
  static OutputStream openDirect(Path target, String name) throws IOException {
    if (Files.isDirectory(target)) {
      throw new Failure(name + " is a folder", "name a file to write to");
    }
    return Files.newOutputStream(target, StandardOpenOption.APPEND);
  }

  private static Writer utf8(OutputStream out) {
    return new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8), 1 << 16);
  }

  /** Writes one line. */
  public void line(String text) throws IOException {
    writer.write(text);
    writer.write('\n');
  }

  /** Ends the output and puts it in its place. */
  public void commit() throws IOException {
    writer.flush();
    if (target != null) {
      writer.close();
    }
    if (draft != null && target != null) {
      Files.move(
          draft, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** Discards output that was not committed. */
  @Override
  public void close() throws IOException {
    if (target != null) {
      writer.close();
    }
    if (draft != null) {
      Files.deleteIfExists(draft);
    }
  }
}
