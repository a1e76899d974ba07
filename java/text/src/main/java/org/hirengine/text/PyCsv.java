package org.hirengine.text;

import java.util.ArrayList;
import java.util.List;

/**
 * Rows of a text as Python's {@code csv.reader} reads them from {@code io.StringIO}: default
 * dialect except for the delimiter, not strict.
 */
public final class PyCsv {

  /** An input for which the reader raises {@code csv.Error}. */
  public static final class CsvException extends RuntimeException {
    private static final long serialVersionUID = 1;

    CsvException(String message) {
      super(message);
    }
  }

  private enum State {
    START_RECORD,
    START_FIELD,
    IN_FIELD,
    IN_QUOTED_FIELD,
    QUOTE_IN_QUOTED_FIELD,
    EAT_LINE_END
  }

  private static final int FIELD_LIMIT = 131_072;

  /** Follows every line, including its line feed. */
  private static final int LINE_END = -1;

  private final int delimiter;
  private final List<List<String>> rows = new ArrayList<>();
  private List<String> fields = new ArrayList<>();
  private final StringBuilder field = new StringBuilder();
  private int fieldLength;
  private State state = State.START_RECORD;

  private PyCsv(char delimiter) {
    this.delimiter = delimiter;
  }

  /**
   * The rows, each a list of fields; a blank line is an empty row.
   *
   * @throws CsvException if the reference's reader raises an error
   */
  public static List<List<String>> read(String text, char delimiter) {
    PyCsv reader = new PyCsv(delimiter);
    for (int from = 0; from < text.length(); ) {
      int feed = text.indexOf('\n', from);
      int to = feed < 0 ? text.length() : feed + 1;
      reader.line(text, from, to);
      from = to;
    }
    reader.finish();
    return reader.rows;
  }

  private void line(String text, int from, int to) {
    for (int i = from; i < to; ) {
      int end = state == State.IN_FIELD ? fieldEnd(text, i, to) : i;
      if (end > i) {
        add(text, i, end);
        i = end;
      } else {
        int c = text.codePointAt(i);
        accept(c);
        i += Character.charCount(c);
      }
    }
    accept(LINE_END);
    if (state == State.START_RECORD) {
      rows.add(fields);
      fields = new ArrayList<>();
    }
  }

  /** Where an unquoted field ends within a line. */
  private int fieldEnd(String text, int from, int to) {
    int i = from;
    while (i < to
        && text.charAt(i) != delimiter
        && text.charAt(i) != '\n'
        && text.charAt(i) != '\r') {
      i++;
    }
    return i;
  }

  /** The text ends within quotes: the text read so far is the last row. */
  private void finish() {
    if (state != State.START_RECORD) {
      saveField();
      rows.add(fields);
    }
  }

  private void accept(int c) {
    boolean end = c == LINE_END || c == '\n' || c == '\r';
    switch (state) {
      case START_RECORD -> {
        if (end) {
          state = c == LINE_END ? State.START_RECORD : State.EAT_LINE_END;
        } else {
          startField(c, false);
        }
      }
      case START_FIELD -> startField(c, end);
      case IN_FIELD -> {
        if (end) {
          endRecord(c);
        } else if (c == delimiter) {
          endField();
        } else {
          add(c);
        }
      }
      case IN_QUOTED_FIELD -> {
        if (c == '"') {
          state = State.QUOTE_IN_QUOTED_FIELD;
        } else if (c != LINE_END) {
          add(c);
        }
      }
      case QUOTE_IN_QUOTED_FIELD -> {
        if (end) {
          endRecord(c);
        } else if (c == delimiter) {
          endField();
        } else {
          add(c);
          state = c == '"' ? State.IN_QUOTED_FIELD : State.IN_FIELD;
        }
      }
      case EAT_LINE_END -> {
        if (!end) {
          throw new CsvException("a carriage return stands within an unquoted field");
        }
        state = c == LINE_END ? State.START_RECORD : State.EAT_LINE_END;
      }
    }
  }

  private void startField(int c, boolean end) {
    if (end) {
      endRecord(c);
    } else if (c == '"') {
      state = State.IN_QUOTED_FIELD;
    } else if (c == delimiter) {
      endField();
    } else {
      add(c);
      state = State.IN_FIELD;
    }
  }

  private void endField() {
    saveField();
    state = State.START_FIELD;
  }

  private void endRecord(int c) {
    saveField();
    state = c == LINE_END ? State.START_RECORD : State.EAT_LINE_END;
  }

  private void saveField() {
    fields.add(field.toString());
    field.setLength(0);
    fieldLength = 0;
  }

  private void add(int c) {
    grow(1);
    field.appendCodePoint(c);
  }

  private void add(String text, int from, int to) {
    grow(text.codePointCount(from, to));
    field.append(text, from, to);
  }

  private void grow(int characters) {
    fieldLength += characters;
    if (fieldLength > FIELD_LIMIT) {
      throw new CsvException("a field is longer than " + FIELD_LIMIT + " characters");
    }
  }
}
