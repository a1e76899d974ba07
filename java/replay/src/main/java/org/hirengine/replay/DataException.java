package org.hirengine.replay;

import org.jspecify.annotations.Nullable;

/** A data file that cannot be used: where, what is wrong, and what to do about it. */
public final class DataException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final String remedy;

  /**
   * Describes the fault.
   *
   * @param file the file as the user named it
   * @param line the line, or row of an array or a table, from 1; or 0 when the file as a whole is
   *     meant
   * @param field the field at fault, or null when the line as a whole is meant
   * @param problem what is wrong
   * @param remedy how to correct it
   */
  public DataException(
      String file, long line, @Nullable String field, String problem, String remedy) {
    super(
        file
            + (line > 0 ? ":" + line : "")
            + ": "
            + (field == null ? "" : "field '" + field + "': ")
            + problem);
    this.remedy = remedy;
  }

  /** What to do about it, as one sentence. */
  public String remedy() {
    return remedy;
  }
}
