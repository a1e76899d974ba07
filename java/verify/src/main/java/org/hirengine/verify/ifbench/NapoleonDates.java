package org.hirengine.verify.ifbench;

import java.util.List;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.Wording;

/**
 * {@code DateFormatListChecker}: dates like 1805-12-02 within Napoleon's life, separated by commas.
 * Only a month or day that is too large is noticed; February may have 29 days in any year.
 */
final class NapoleonDates extends FixedTask {

  private static final int[] DAYS = {99, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

  NapoleonDates() {
    super(
        "custom:date_format_list",
        "List the dates on which Napoleon's battles began, as YYYY-MM-DD, separated by commas, and"
            + " explain nothing.");
  }

  @Override
  protected Verdict check(Response response) {
    List<String> dates = PyText.split(response.stripped(), ",");
    for (String date : dates) {
      if (!isDate(PyText.strip(date))) {
        return Verdict.violated(
            Wording.brief(PyText.strip(date)) + " is no date from 1769-01-01 to 1821-12-31");
      }
    }
    return Verdict.satisfied(Wording.count(dates.size(), "date"));
  }

  private static boolean isDate(String text) {
    int[] points = text.codePoints().toArray();
    if (points.length != 10 || points[4] != '-' || points[7] != '-') {
      return false;
    }
    int year = number(points, 0, 4);
    int month = number(points, 5, 7);
    int day = number(points, 8, 10);
    return year >= 1769
        && year <= 1821
        && month >= 0
        && month <= 12
        && day >= 0
        && day <= DAYS[month];
  }

  /** The value of decimal digits of any script, or -1. */
  private static int number(int[] points, int from, int to) {
    int number = 0;
    for (int i = from; i < to; i++) {
      if (!PyChars.isDecimal(points[i])) {
        return -1;
      }
      number = 10 * number + Character.digit(points[i], 10);
    }
    return number;
  }
}
