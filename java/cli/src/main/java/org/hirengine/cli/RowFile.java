package org.hirengine.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedInputStream;
import java.io.BufferedWriter;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.hirengine.replay.DataException;
import org.hirengine.replay.JsonLines;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a long command, kept as they are made. Until the last one is written they are in
 * {@code NAME.part}, beside {@code NAME.part.json} with the options that they were made with; then
 * the file moves to its place. A command continues what a killed one left if both have the same
 * options.
 *
 * <p>{@code -} is standard output; a pipe, and everything in {@code /dev} or {@code /proc}, is
 * written to directly. Neither can be continued.
 */
final class RowFile implements Closeable {

  /** Longest time that rows wait in the buffer before the next one flushes them to the file. */
  private static final long FLUSH_NANOS = 100_000_000;

  private final String name;
  private final PrintWriter err;
  private final @Nullable Path target;
  private final @Nullable Path part;
  private final @Nullable Path setupFile;
  private final Writer writer;
  private final long kept;
  private long rows;
  private long flushed = System.nanoTime();
  private boolean committed;

  private RowFile(
      String name,
      PrintWriter err,
      @Nullable Path target,
      @Nullable Path part,
      Writer writer,
      long kept) {
    this.name = name;
    this.err = err;
    this.target = target;
    this.part = part;
    this.setupFile = part == null ? null : setupFile(part);
    this.writer = writer;
    this.kept = kept;
    this.rows = kept;
  }

  /**
   * Opens the output; its folder must exist.
   *
   * @param resume continue what an unfinished run left, if anything
   * @param setup the options that determine the rows: a run with other options does not continue
   *     them
   * @param err where kept rows are reported
   */
  static RowFile open(String name, boolean resume, ObjectNode setup, PrintWriter err)
      throws IOException {
    Path target = OutputFile.isStandard(name) ? null : Path.of(name).toAbsolutePath();
    if (target == null || OutputFile.isDirect(target)) {
      if (resume) {
        throw new Failure("--resume needs an output file, not " + name, "name one with --out");
      }
      OutputStream out = target == null ? System.out : OutputFile.openDirect(target, name);
      return new RowFile(name, err, target, null, utf8(out), 0);
    }
    if (!Files.isDirectory(target.getParent())) {
      throw new Failure(
          "the folder of " + name + " does not exist", "create " + target.getParent() + " first");
    }
    Path part = target.resolveSibling(target.getFileName() + ".part");
    long kept = 0;
    boolean left = Files.isRegularFile(part) && Files.size(part) > 0;
    if (left && !resume) {
      throw new Failure(
          part + " holds rows of an unfinished run",
          "continue it with --resume, or delete the file to start over");
    }
    if (left) {
      requireSame(part, setup);
      kept = endAtWholeLine(part);
    } else {
      Files.writeString(setupFile(part), JsonLines.write(setup) + "\n");
      Files.deleteIfExists(part);
    }
    OutputStream out =
        Files.newOutputStream(part, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    return new RowFile(name, err, target, part, utf8(out), kept);
  }

  private static Path setupFile(Path part) {
    return part.resolveSibling(part.getFileName() + ".json");
  }

  private static Writer utf8(OutputStream out) {
    return new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8), 1 << 16);
  }

  private static void requireSame(Path part, ObjectNode setup) throws IOException {
    Path file = setupFile(part);
    JsonNode before =
        Files.isRegularFile(file) ? JsonLines.MAPPER.readTree(file.toFile()) : setup.objectNode();
    // as it is read back, so that 1 and 1L are equal
    JsonNode now = JsonLines.MAPPER.readTree(JsonLines.write(setup));
    for (Map.Entry<String, JsonNode> entry : now.properties()) {
      JsonNode then = before.path(entry.getKey());
      if (!then.equals(entry.getValue())) {
        throw new Failure(
            part
                + " was made with another "
                + entry.getKey()
                + ": "
                + (then.isMissingNode() ? "unknown" : then)
                + ", not "
                + entry.getValue(),
            "continue with the options of that run, or delete the file to start over");
      }
    }
  }

  /** Removes a line that a kill left incomplete, and returns the number of complete ones. */
  private static long endAtWholeLine(Path part) throws IOException {
    long lines = 0;
    long end = 0;
    long at = 0;
    byte[] buffer = new byte[1 << 16];
    try (InputStream in = Files.newInputStream(part)) {
      for (int count = in.read(buffer); count > 0; count = in.read(buffer)) {
        for (int i = 0; i < count; i++) {
          if (buffer[i] == '\n') {
            lines++;
            end = at + i + 1;
          }
        }
        at += count;
      }
    }
    if (end < at) {
      try (FileChannel file = FileChannel.open(part, StandardOpenOption.WRITE)) {
        file.truncate(end);
      }
    }
    return lines;
  }

  /** Whole rows that an unfinished run left. */
  long kept() {
    return kept;
  }

  /** The rows that an unfinished run left, in order. */
  Kept readKept() throws IOException {
    return new Kept(kept == 0 ? null : part, kept);
  }

  /** Reads kept rows. */
  static final class Kept implements Closeable {

    private final @Nullable InputStream in;
    private final @Nullable JsonLines lines;
    private final @Nullable Path part;
    private long left;
    private @Nullable ObjectNode next;

    private Kept(@Nullable Path part, long count) throws IOException {
      this.part = part;
      left = count;
      in = part == null ? null : new BufferedInputStream(Files.newInputStream(part), 1 << 16);
      lines = in == null ? null : new JsonLines(in, String.valueOf(part));
    }

    /** The next row, without consuming it; null after the last one. */
    @Nullable ObjectNode peek() throws IOException {
      if (next == null && left > 0 && lines != null) {
        left--;
        try {
          JsonLines.Line line = lines.next();
          next = line == null ? null : lines.parse(line);
        } catch (DataException e) {
          throw new Failure(
              e.getMessage() + ", so the run cannot be continued",
              "delete " + part + " to start over");
        }
      }
      return next;
    }

    /** Skips the next row. */
    void skip() {
      next = null;
    }

    /**
     * The kept row that was made from a line of the input, which is then consumed; null if none is
     * left.
     *
     * @param input the line
     * @param fields what the command adds to a line, or replaces
     * @throws Failure when the next kept row was made from another line
     */
    @Nullable ObjectNode rowOf(ObjectNode input, List<String> fields) throws IOException {
      ObjectNode row = peek();
      if (row == null) {
        return null;
      }
      if (!isOf(input, row, fields)) {
        throw otherInput();
      }
      skip();
      return row;
    }

    /** Whether the next kept row was made from this line of the input. */
    boolean nextIsOf(ObjectNode input, List<String> fields) throws IOException {
      ObjectNode row = peek();
      return row != null && isOf(input, row, fields);
    }

    private static boolean isOf(ObjectNode input, ObjectNode row, List<String> fields) {
      return input.deepCopy().remove(fields).equals(row.deepCopy().remove(fields));
    }

    /**
     * @throws Failure when rows are left, which therefore were not made from this input
     */
    void requireEnd() throws IOException {
      if (peek() != null) {
        throw otherInput();
      }
    }

    private Failure otherInput() {
      return new Failure(
          "the rows in " + part + " were not made from this input",
          "give the input of the run to continue, or delete the file");
    }

    @Override
    public void close() throws IOException {
      if (in != null) {
        in.close();
      }
    }
  }

  /** Rows so far, including those of an unfinished run. */
  long rows() {
    return rows;
  }

  /** Writes one row; {@link #flush} makes it survive a kill. */
  void line(String text) throws IOException {
    writer.write(text);
    writer.write('\n');
    rows++;
    long now = System.nanoTime();
    if (now - flushed > FLUSH_NANOS) {
      flushed = now;
      writer.flush();
    }
  }

  /** Writes everything to the file. */
  void flush() throws IOException {
    writer.flush();
  }

  /** Ends the output and puts it in its place. */
  void commit() throws IOException {
    writer.flush();
    if (target != null) {
      writer.close();
    }
    if (part != null && target != null && setupFile != null) {
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      Files.deleteIfExists(setupFile);
    }
    committed = true;
  }

  /** Keeps the rows of a command that did not finish, and reports where they are. */
  @Override
  public void close() throws IOException {
    if (target != null) {
      writer.close();
    }
    if (committed || part == null || setupFile == null) {
      return;
    }
    if (rows == 0) {
      Files.deleteIfExists(part);
      Files.deleteIfExists(setupFile);
    } else if (rows > kept) {
      err.printf(
          "note: %d rows of %s are kept in %s; the same command with --resume continues%n",
          rows, name, part);
      err.flush();
    }
  }

  /** Discards the rows of a command that did not finish. */
  void discard() {
    rows = 0;
  }
}
