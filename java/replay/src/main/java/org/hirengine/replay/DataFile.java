package org.hirengine.replay;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/** Recognises a data file's container by its first bytes. */
final class DataFile {

  private DataFile() {}

  /**
   * The rows of {@code in}; the caller closes both.
   *
   * @param file the file that {@code in} reads; null when there is none
   * @param name its name in errors
   */
  static DataRows open(InputStream in, @Nullable Path file, String name) throws IOException {
    BufferedInputStream buffered = new BufferedInputStream(in, 1 << 16);
    buffered.mark(DataRowsProvider.START);
    byte[] start = buffered.readNBytes(DataRowsProvider.START);
    buffered.reset();
    for (DataRowsProvider provider : providers()) {
      if (provider.accepts(start)) {
        return file == null ? copied(provider, buffered, name) : provider.open(file, name);
      }
    }
    return beginsWithBracket(start) ? new JsonArray(buffered, name) : lines(buffered, name);
  }

  /**
   * By this class's loader: the context loader is whatever the calling thread has, such as the
   * JDK's in a thread pool of a packaged application.
   */
  private static ServiceLoader<DataRowsProvider> providers() {
    return ServiceLoader.load(DataRowsProvider.class, DataFile.class.getClassLoader());
  }

  /** The rows of a stream whose container is not read from front to back. */
  private static DataRows copied(DataRowsProvider provider, InputStream in, String name)
      throws IOException {
    Path copy = Files.createTempFile("hir-data", null);
    try {
      Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
      DataRows rows = provider.open(copy, name);
      return new DataRows() {
        @Override
        public @Nullable DataRow next() throws IOException {
          return rows.next();
        }

        @Override
        public void close() throws IOException {
          try (rows) {
            Files.deleteIfExists(copy);
          }
        }
      };
    } catch (IOException | RuntimeException e) {
      Files.deleteIfExists(copy);
      throw e;
    }
  }

  private static boolean beginsWithBracket(byte[] start) {
    // After a byte order mark and white space.
    int at = start.length >= 3 && (start[0] & 0xFF) == 0xEF ? 3 : 0;
    while (at < start.length && start[at] <= ' ' && start[at] >= 0) {
      at++;
    }
    return at < start.length && start[at] == '[';
  }

  private static DataRows lines(InputStream in, String name) {
    JsonLines lines = new JsonLines(in, name);
    return () -> {
      JsonLines.Line line = lines.next();
      return line == null ? null : new LineRow(lines, line);
    };
  }

  private record LineRow(JsonLines lines, JsonLines.Line line) implements DataRow {

    @Override
    public long number() {
      return line.number();
    }

    @Override
    public String text() {
      return line.text();
    }

    @Override
    public ObjectNode parse() {
      return lines.parse(line);
    }
  }
}
