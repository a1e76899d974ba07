package org.hirengine.cli;

import java.io.Closeable;
import java.io.IOException;
import org.hirengine.replay.BadRow;
import org.hirengine.replay.DataException;
import org.hirengine.replay.JsonLines;
import org.jspecify.annotations.Nullable;

/**
 * Collects lines that cannot be used under {@code --skip-bad}; without it the first one ends the
 * command.
 */
final class Quarantine implements Closeable {

  private final String input;
  private final @Nullable OutputFile file;
  private @Nullable BadRow first;
  private int rows;

  /**
   * @param input the input's name in errors
   * @param file where bad lines go; null where the first one is an error
   */
  Quarantine(String input, @Nullable String file) throws IOException {
    this.input = input;
    this.file = file == null ? null : new OutputFile(file);
  }

  /**
   * Sets a line aside.
   *
   * @throws DataException the line's fault, if lines are not set aside
   */
  void add(JsonLines.Line line, DataException fault) throws IOException {
    if (file == null) {
      throw fault;
    }
    BadRow row = new BadRow(input, line.number(), line.text(), fault);
    file.line(row.toJson());
    first = first == null ? row : first;
    rows++;
  }

  /** Whether bad lines are set aside. */
  boolean open() {
    return file != null;
  }

  /** Lines set aside. */
  int rows() {
    return rows;
  }

  /**
   * Puts the file in its place.
   *
   * @param good lines that were used
   * @throws DataException when that is none of them
   */
  void commit(int good) throws IOException {
    if (file == null) {
      return;
    }
    file.commit();
    if (good == 0 && first != null) {
      throw new DataException(
          input,
          0,
          null,
          "holds no good row; the first: " + first.reason().getMessage(),
          first.reason().remedy());
    }
  }

  @Override
  public void close() throws IOException {
    if (file != null) {
      file.close();
    }
  }
}
