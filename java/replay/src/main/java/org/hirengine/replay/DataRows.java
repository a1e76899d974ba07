package org.hirengine.replay;

import java.io.Closeable;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The rows of a data file in their order, whatever the file's container. */
public interface DataRows extends Closeable {

  /**
   * The next row, or null at the end.
   *
   * @throws DataException when the file is broken beyond this place
   */
  @Nullable DataRow next() throws IOException;

  /** Lets go of what {@link DataRowsProvider#open} took; a stream is its opener's to close. */
  @Override
  default void close() throws IOException {}
}
