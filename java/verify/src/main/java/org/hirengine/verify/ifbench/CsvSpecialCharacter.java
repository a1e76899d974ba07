package org.hirengine.verify.ifbench;

import java.util.List;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyCsv;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.Wording;

/**
 * {@code SpecialCharacterCSVChecker}: a given header, 14 rows, and a quoted field with a special
 * character; rows after that field are ignored.
 */
final class CsvSpecialCharacter extends FixedTask {

  private static final CsvHeader HEADER =
      new CsvHeader(",[ \\t]*", "ProductID", "Category", "Brand", "Price", "Stock");

  CsvSpecialCharacter() {
    super(
        "custom:csv_special_character",
        "Generate 14 rows of comma-separated data under the column names ProductID, Category,"
            + " Brand, Price and Stock, one field of which is in double quotes and holds a special"
            + " character.");
  }

  @Override
  protected Verdict check(Response response) {
    if (!HEADER.begins(response.text())) {
      return Verdict.violated("the first line is not the header");
    }
    List<List<String>> rows;
    try {
      rows = CsvHeader.quotedRows(response.text(), ',');
    } catch (PyCsv.CsvException e) {
      return Revision.raises(e.getMessage());
    }
    if (rows.size() != 15) {
      return Verdict.violated(Wording.count(rows.size(), "row") + ", a header and 14 asked");
    }
    for (List<String> row : rows.subList(1, rows.size())) {
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
