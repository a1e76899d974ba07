package org.hirengine.verify.ifbench;

import java.util.List;
import org.hirengine.text.PyCsv;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.Wording;

/** A table below a given header, whose fields are read with the quotes around them. */
abstract class QuotedTable extends FixedTask {

  private final CsvHeader header;
  private final char delimiter;
  private final int rows;

  /**
   * @param rows how many are asked for, the header aside
   */
  QuotedTable(String id, String sentence, CsvHeader header, char delimiter, int rows) {
    super(id, sentence);
    this.header = header;
    this.delimiter = delimiter;
    this.rows = rows;
  }

  /** Checks the table, whose number of rows is right; the header is the first. */
  protected abstract Verdict check(List<List<String>> table);

  @Override
  protected final Verdict check(Response response) {
    if (!header.begins(response.text())) {
      return Verdict.violated("the first line is not the header");
    }
    List<List<String>> table;
    try {
      table = CsvHeader.quotedRows(response.text(), delimiter);
    } catch (PyCsv.CsvException e) {
      return Revision.raises(e.getMessage());
    }
    if (table.size() != rows + 1) {
      return Verdict.violated(
          Wording.count(table.size(), "row") + ", a header and " + rows + " asked");
    }
    return check(table);
  }
}
