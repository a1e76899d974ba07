package org.hirengine.replay;

import java.io.Closeable;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The rows of a data file in order, for any container. */
public interface DataRows extends Closeable {

  /**
   * The next row, or null at the end.
   *
   * @throws DataException when the rest of the file cannot be read
   */
  @Nullable DataRow next() throws IOException;

  /** Releases what {@link DataRowsProvider#open} opened; whoever opened a stream closes it. */
  @Override
  default void close() throws IOException {}
}
