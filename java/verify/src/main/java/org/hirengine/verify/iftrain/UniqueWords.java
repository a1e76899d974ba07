package org.hirengine.verify.iftrain;

import java.util.HashSet;
import java.util.Set;
import org.hirengine.verify.Response;
import org.hirengine.verify.TextTools;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/** {@code CountUniqueChecker}: no token occurs twice; punctuation counts, and case matters. */
final class UniqueWords extends BinaryType {

  private final TextTools tools;

  UniqueWords(TextTools tools) {
    super("count:count_unique", "Use every word only once.");
    this.tools = tools;
  }

  @Override
  protected Verdict check(Response response) {
    Set<String> seen = new HashSet<>();
    for (String token : tools.wordTokens(response)) {
      if (!seen.add(token)) {
        return Verdict.violated(Wording.brief(token) + " occurs more than once");
      }
    }
    return Verdict.satisfied(Wording.count(seen.size(), "different word"));
  }
}
