package org.hirengine.verify.ifbench;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyCsv;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;

/** The first line of a table: column names, each bare or quoted, with a separator between. */
final class CsvHeader {

  private final PyPattern pattern;

  /**
   * @param separator the pattern between two names
   */
  CsvHeader(String separator, String... names) {
    this.pattern =
        PyPattern.compile(
            Arrays.stream(names)
                .map(name -> "(?:" + name + "|\"" + name + "\")")
                .collect(Collectors.joining(separator)));
  }

  /** Whether the text's first line, stripped, is this header. */
  boolean begins(String text) {
    int feed = text.indexOf('\n');
    String line = PyText.strip(feed < 0 ? text : text.substring(0, feed));
    return pattern.fullMatch(CodePoints.of(line)) != null;
  }

  /**
   * The rows with every quote tripled, so that fields keep their quotes.
   *
   * @throws PyCsv.CsvException if the reference's reader raises an error
   */
  static List<List<String>> quotedRows(String text, char delimiter) {
    return PyCsv.read(text.replace("\"", "\"\"\""), delimiter);
  }
}
