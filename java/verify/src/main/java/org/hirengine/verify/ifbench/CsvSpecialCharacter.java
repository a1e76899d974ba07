package org.hirengine.verify.ifbench;

import java.util.List;
import org.hirengine.text.PyChars;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.Wording;

/**
 * {@code SpecialCharacterCSVChecker}: a given header, 14 rows, and a quoted field with a special
 * character; rows after that field are ignored.
 */
final class CsvSpecialCharacter extends QuotedTable {

  private static final CsvHeader HEADER =
      new CsvHeader(",[ \\t]*", "ProductID", "Category", "Brand", "Price", "Stock");

  CsvSpecialCharacter() {
    super(
        "custom:csv_special_character",
        "Generate 14 rows of comma-separated data under the column names ProductID, Category,"
            + " Brand, Price and Stock, one field of which is in double quotes and holds a special"
            + " character.",
        HEADER,
        ',',
        14);
  }

  @Override
  protected Verdict check(List<List<String>> table) {
    for (List<String> row : table.subList(1, table.size())) {
      if (row.size() != 5) {
        return Verdict.violated("a row does not have 5 fields");
      }
      for (String field : row) {
        if (special(field)) {
          return Verdict.satisfied("special character found in " + Wording.brief(field));
        }
      }
    }
    return Verdict.violated("no quoted field with a special character found");
  }

  /** {@code ".*[^\d\w\s].*"} at the beginning, within one line. */
  private static boolean special(String field) {
    int feed = field.indexOf('\n');
    String line = feed < 0 ? field : field.substring(0, feed);
    int close = line.lastIndexOf('"');
    return line.startsWith("\"")
        && close > 0
        && line.substring(1, close)
            .codePoints()
            .anyMatch(c -> !PyChars.isWord(c) && !PyChars.isSpace(c));
  }
}
