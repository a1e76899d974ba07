package org.hirengine.replay;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A container of rows besides JSON Lines and JSON arrays, found by {@link java.util.ServiceLoader}:
 * name the implementation in {@code META-INF/services/org.hirengine.replay.DataRowsProvider}.
 */
public interface DataRowsProvider {

  /** Bytes shown to {@link #accepts}, at most. */
  int START = 64;

  /** Whether a file that begins like this is of this container. */
  boolean accepts(byte[] start);

  /**
   * Opens a file.
   *
   * @param file the file; for a stream, such as standard input, a copy of it
   * @param name its name in errors
   * @return rows that the caller closes
   * @throws DataException when it is broken
   */
  DataRows open(Path file, String name) throws IOException;
}
