package org.hirengine.verify.ifbench;

import org.hirengine.text.Pieces;
import org.hirengine.text.PyText;
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
    Pieces quotes = response.pieces("quotes", whole -> PyText.characters(whole.text(), "\"'"));
    char[] open = new char[quotes.size()];
    int depth = 0;
    int deepest = 0;
    for (int i = 0; i < quotes.size(); i++) {
      char c = quotes.text().charAt(quotes.start(i));
      if (depth > 0 && open[depth - 1] == c) {
        depth--;
        if (deepest - depth >= LEVELS) {
          return Verdict.satisfied("quotes nested " + Wording.count(deepest, "level") + " deep");
        }
      } else {
        open[depth++] = c;
        deepest = Math.max(deepest, depth);
      }
    }
    return Verdict.violated(
        "no closed quotes " + LEVELS + " levels deep, open to level " + deepest);
  }
}
