package org.hirengine.verify.ifbench;

import java.util.List;
import org.hirengine.text.PyText;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.Wording;

/** {@code QuotesCSVChecker}: a given header and three rows, with tabs, every field quoted. */
final class CsvQuotes extends QuotedTable {

  private static final CsvHeader HEADER =
      new CsvHeader("\\t *", "StudentID", "Subject", "Grade", "Semester", "Score");

  CsvQuotes() {
    super(
        "custom:csv_quotes",
        "Generate 3 rows of tab-separated data under the column names StudentID, Subject, Grade,"
            + " Semester and Score, with every field in double quotes.",
        HEADER,
        '\t',
        3);
  }

  @Override
  protected Verdict check(List<List<String>> table) {
    for (List<String> row : table) {
      if (row.size() != 5) {
        return Verdict.violated("a row does not have 5 fields");
      }
      for (String field : row) {
        String stripped = PyText.strip(field);
        if (stripped.isEmpty()) {
          return Revision.raises("a field is blank");
        }
        if (!stripped.startsWith("\"") || !stripped.endsWith("\"")) {
          return Verdict.violated(Wording.brief(field) + " is not in double quotes");
        }
      }
    }
    return Verdict.satisfied("every field is in double quotes");
  }
}
