package org.hirengine.verify.ifbench;

import java.util.List;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.Wording;

/**
 * {@code ReverseNewlineChecker}: from the line with Zimbabwe on, 52 lines or more in descending
 * order, accents off.
 */
final class AfricanCountries extends FixedTask {

  private static final int LEAST = 52;

  AfricanCountries() {
    super(
        "custom:reverse_newline",
        "List the countries of Africa in reverse alphabetical order, each on a line of its own.");
  }

  @Override
  protected Verdict check(Response response) {
    List<String> lines =
        PyText.split(response.text(), "\n").stream()
            .map(line -> PyText.strip(line, Words.MARKS))
            .filter(line -> !line.isEmpty())
            .dropWhile(line -> !line.contains("Zimbabwe"))
            .map(PyText::toAscii)
            .toList();
    if (lines.size() < LEAST) {
      return Verdict.violated(
          Wording.count(lines.size(), "line") + " from Zimbabwe on, at least " + LEAST + " asked");
    }
    for (int i = 1; i < lines.size(); i++) {
      if (lines.get(i - 1).compareTo(lines.get(i)) < 0) {
        return Verdict.violated(
            Wording.brief(lines.get(i)) + " stands behind " + Wording.brief(lines.get(i - 1)));
      }
    }
    return Verdict.satisfied(Wording.count(lines.size(), "line") + " in reverse order");
  }
}
