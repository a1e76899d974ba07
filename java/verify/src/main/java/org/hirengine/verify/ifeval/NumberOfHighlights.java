package org.hirengine.verify.ifeval;

import java.util.random.RandomGenerator;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.rule.NumberType;
import org.hirengine.verify.rule.Wording;

/** {@code HighlightSectionChecker}: at least n highlights by asterisks; double ones count twice. */
final class NumberOfHighlights extends NumberType {

  NumberOfHighlights() {
    super(
        "detectable_format:number_highlighted_sections",
        "num_highlights",
        "highlight",
        NumberType.Match.AT_LEAST);
  }

  @Override
  protected int count(Response response) {
    return highlights(response.text(), "*") + highlights(response.text(), "**");
  }

  /** Matches of mark, {@code [^\n\*]*}, mark with more than white space between. */
  private static int highlights(String s, String mark) {
    int count = 0;
    for (int at = s.indexOf(mark); at >= 0; at = s.indexOf(mark, at)) {
      int from = at + mark.length();
      int to = from;
      while (to < s.length() && s.charAt(to) != '*' && s.charAt(to) != '\n') {
        to++;
      }
      if (s.startsWith(mark, to)) {
        if (!PyText.isBlank(s.substring(from, to))) {
          count++;
        }
        at = to + mark.length();
      } else {
        at++;
      }
    }
    return count;
  }

  @Override
  protected String sentence(int asked) {
    return "Highlight at least "
        + Wording.count(asked, "section")
        + " in markdown, with *single asterisks*.";
  }

  @Override
  protected int sampleCount(RandomGenerator random) {
    return 1 + random.nextInt(4);
  }
}
