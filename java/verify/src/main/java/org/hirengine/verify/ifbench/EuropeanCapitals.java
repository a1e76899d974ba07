package org.hirengine.verify.ifbench;

import java.util.List;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.Wording;

/** {@code EuropeanCapitalsSortChecker}: 27 names in the only order that is accepted. */
final class EuropeanCapitals extends FixedTask {

  private static final List<String> NORTH_TO_SOUTH =
      List.of(
          "Reykjavik",
          "Helsinki",
          "Oslo",
          "Tallinn",
          "Stockholm",
          "Riga",
          "Moscow",
          "Copenhagen",
          "Vilnius",
          "Minsk",
          "Dublin",
          "Berlin",
          "Amsterdam",
          "Warsaw",
          "London",
          "Brussels",
          "Prague",
          "Luxembourg",
          "Paris",
          "Vienna",
          "Bratislava",
          "Budapest",
          "Vaduz",
          "Chisinau",
          "Bern",
          "Ljubljana",
          "Zagreb");

  EuropeanCapitals() {
    super(
        "custom:european_capitals_sort",
        "List the capitals of Europe north of 45 degrees, from the highest latitude to the lowest,"
            + " separated by commas and without their countries.");
  }

  @Override
  protected Verdict check(Response response) {
    List<String> names =
        PyText.split(PyText.toAscii(response.text()), ",").stream()
            .map(PyText::strip)
            .filter(name -> !name.isEmpty())
            .toList();
    if (names.size() != NORTH_TO_SOUTH.size()) {
      return Verdict.violated(
          Wording.count(names.size(), "name") + ", exactly " + NORTH_TO_SOUTH.size() + " asked");
    }
    for (int i = 0; i < names.size(); i++) {
      if (!names.get(i).equals(NORTH_TO_SOUTH.get(i))) {
        return Verdict.violated(
            "name "
                + (i + 1)
                + " is "
                + Wording.brief(names.get(i))
                + ", "
                + NORTH_TO_SOUTH.get(i)
                + " asked");
      }
    }
    return Verdict.satisfied("every capital in its place");
  }
}
