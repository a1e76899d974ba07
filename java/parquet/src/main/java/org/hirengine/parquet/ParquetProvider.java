package org.hirengine.parquet;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.hirengine.replay.DataRows;
import org.hirengine.replay.DataRowsProvider;

/** Parquet tables, recognised by their first bytes. */
public final class ParquetProvider implements DataRowsProvider {

  /** The bytes that a file begins and ends with. */
  static final byte[] MARK = "PAR1".getBytes(StandardCharsets.US_ASCII);

  @Override
  public boolean accepts(byte[] start) {
    return start.length >= MARK.length && Arrays.equals(Arrays.copyOf(start, MARK.length), MARK);
  }

  @Override
  public DataRows open(Path file, String name) throws IOException {
    return ParquetRows.open(file, name);
  }
}
