package org.hirengine.verify.muldimif;

import java.util.List;
import java.util.Objects;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;

/** The main format of a text ({@code detect_format}), which decides what "each" refers to. */
enum TextShape {
  JSON,
  TABLE,
  NUMBERED,
  BULLETS,
  PLAIN;

  private static final PyPattern JSON_START = PyPattern.compile("\\s*[{\\[]");

  /** Leading lines of white space do not matter and would be scanned repeatedly. */
  private static final PyPattern TABLE_LINE =
      PyPattern.compile("^[^\\S\\n]*\\|.+\\|", PyPattern.MULTILINE);

  private static final PyPattern NUMBER = PyPattern.compile("\\s*\\d+\\.\\s+");
  private static final PyPattern BULLET = PyPattern.compile("\\s*[-*] ");

  static TextShape of(CodePoints text) {
    if (JSON_START.match(text) != null) {
      return JSON;
    }
    if (TABLE_LINE.find(text)) {
      return TABLE;
    }
    if (NUMBER.match(text) != null) {
      return NUMBERED;
    }
    return BULLET.match(text) != null ? BULLETS : PLAIN;
  }

  /** The lines of a numbered list. */
  static List<String> numberedLines(String text) {
    return linesThatBegin(NUMBER, text);
  }

  /** The items of a list of bullets, from the first blank of their lines on. */
  static List<String> bullets(String text) {
    return linesThatBegin(BULLET, text).stream()
        .map(line -> PyText.strip(after(line, " ")))
        .toList();
  }

  /** {@code s.split(separator, 1)[1]}, for a text that holds the separator. */
  static String after(String s, String separator) {
    return s.substring(s.indexOf(separator) + separator.length());
  }

  private static List<String> linesThatBegin(PyPattern start, String text) {
    return PyText.split(text, "\n").stream()
        .filter(line -> Objects.nonNull(start.match(CodePoints.of(line))))
        .toList();
  }
}
