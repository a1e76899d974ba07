package org.hirengine.verify.iftrain;

import java.util.List;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.TextTools;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/** {@code StartEndChecker}: the first token is the last one too, in any case. */
final class StartEnd extends BinaryType {

  private final TextTools tools;

  StartEnd(TextTools tools) {
    super(
        "keywords:start_end",
        "Begin and end with the same word, with nothing after it, not even punctuation.");
    this.tools = tools;
  }

  @Override
  protected Verdict check(Response response) {
    List<String> tokens = tools.wordTokens(response);
    if (tokens.size() < 2) {
      return Verdict.violated("fewer than two words");
    }
    String first = tokens.get(0);
    String last = tokens.get(tokens.size() - 1);
    return Verdict.of(
        PyText.lower(first).equals(PyText.lower(last)),
        "begins with " + Wording.brief(first) + ", ends with " + Wording.brief(last));
  }
}
