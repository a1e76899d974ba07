package org.hirengine.verify.ifbench;

import java.util.List;
import org.hirengine.text.PyCsv;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.Wording;

/** {@code CityCSVChecker}: a given header and seven rows of five fields. */
final class CsvCities extends FixedTask {

  private static final List<String> HEADER = List.of("ID", "Country", "City", "Year", "Count");

  CsvCities() {
    super(
        "custom:csv_city",
        "Generate 7 rows of comma-separated data under the column names ID, Country, City, Year and"
            + " Count.");
  }

  @Override
  protected Verdict check(Response response) {
    List<List<String>> rows;
    try {
      rows = PyCsv.read(response.text(), ',');
    } catch (PyCsv.CsvException e) {
      return Revision.raises(e.getMessage());
    }
    if (rows.size() != 8) {
      return Verdict.violated(Wording.count(rows.size(), "row") + ", a header and 7 asked");
    }
    if (!rows.get(0).equals(HEADER)) {
      return Verdict.violated("the header is " + Wording.brief(rows.get(0)));
    }
    boolean even = rows.stream().allMatch(row -> row.size() == HEADER.size());
    return Verdict.of(even, even ? "7 rows of 5 fields" : "a row does not have 5 fields");
  }
}
