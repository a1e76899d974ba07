package org.hirengine.verify.ifbench;

import java.util.List;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.Wording;

/** {@code SentenceAlphabetChecker}: 26 sentences that begin with the letters from a to z. */
final class AlphabetStory extends FixedTask {

  private final Sentences sentences;

  AlphabetStory(Sentences sentences) {
    super(
        "custom:sentence_alphabet",
        "Tell a story of 26 sentences that begin with the letters of the alphabet in their order.");
    this.sentences = sentences;
  }

  @Override
  protected Verdict check(Response response) {
    List<String> all = sentences.of(response);
    if (all.size() != 26) {
      return Verdict.violated(Wording.count(all.size(), "sentence") + ", exactly 26 asked");
    }
    for (int i = 0; i < 26; i++) {
      String text = PyText.strip(all.get(i));
      if (text.isEmpty()) {
        return sentences.revision().raised("a sentence is empty");
      }
      int initial = PyText.lower(Character.toString(text.codePointAt(0))).codePointAt(0);
      if (initial != 'a' + i) {
        return Verdict.violated(
            "sentence " + (i + 1) + " does not begin with '" + (char) ('a' + i) + "'");
      }
    }
    return Verdict.satisfied("26 sentences from a to z");
  }
}
