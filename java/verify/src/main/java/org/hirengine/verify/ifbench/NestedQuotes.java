package org.hirengine.verify.ifbench;

import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/**
 * {@code NestedQuotesChecker}: single and double quotes nested and closed three deep. An apostrophe
 * is a quote, too.
 */
final class NestedQuotes extends BinaryType {

  private static final int LEVELS = 3;

  NestedQuotes() {
    super(
        "format:quotes",
        "Include a quotation within a quotation within a quotation, with \" and ' taking turns.");
  }

  @Override
  protected Verdict check(Response response) {
    char[] text = response.text().toCharArray();
    StringBuilder open = new StringBuilder();
    int deepest = 0;
    for (char c : text) {
      int last = open.length() - 1;
      if (last >= 0 && open.charAt(last) == c) {
        open.setLength(last);
        if (deepest - last >= LEVELS) {
          return Verdict.satisfied("quotes nested " + Wording.count(deepest, "level") + " deep");
        }
      } else if (c == '"' || c == '\'') {
        open.append(c);
        deepest = Math.max(deepest, open.length());
      }
    }
    return Verdict.violated(
        "no closed quotes " + LEVELS + " levels deep, open to level " + deepest);
  }
}
