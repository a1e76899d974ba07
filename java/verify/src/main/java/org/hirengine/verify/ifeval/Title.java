package org.hirengine.verify.ifeval;

import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/** {@code TitleChecker}: a title in double angular brackets, on one line. */
final class Title extends BinaryType {

  Title() {
    super(
        "detectable_format:title",
        "Include a title in double angular brackets, such as <<title>>.");
  }

  /** Matches of the greedy {@code <<[^\n]+>>}: at most one in a line. */
  @Override
  protected Verdict check(Response response) {
    for (String line : PyText.split(response.text(), "\n")) {
      int open = line.indexOf("<<");
      int close = line.lastIndexOf(">>");
      if (open >= 0 && close > open + 2) {
        String inner = line.substring(open, close + 2);
        String title = PyText.strip(PyText.stripTrailing(PyText.stripLeading(inner, "<"), ">"));
        if (!title.isEmpty()) {
          return Verdict.satisfied("title " + Wording.brief(title) + " found");
        }
      }
    }
    return Verdict.violated("no title in << >> found");
  }
}
