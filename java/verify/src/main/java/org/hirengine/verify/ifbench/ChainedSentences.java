package org.hirengine.verify.ifbench;

import java.util.List;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/** {@code LastWordFirstNextChecker}: each sentence begins with the last word of the one before. */
final class ChainedSentences extends BinaryType {

  private final Sentences sentences;

  ChainedSentences(Sentences sentences) {
    super(
        "words:last_first",
        "Begin every sentence with the word that the sentence before it ends with.");
    this.sentences = sentences;
  }

  @Override
  protected Verdict check(Response response) {
    List<String> all = sentences.of(response);
    for (int i = 1; i < all.size(); i++) {
      List<String> before = PyText.split(PyText.stripTrailing(all.get(i - 1), Words.MARKS));
      List<String> after = PyText.split(PyText.stripLeading(all.get(i), Words.MARKS));
      if (before.isEmpty() || after.isEmpty()) {
        return sentences.revision().raised("a sentence has no words");
      }
      String last = before.get(before.size() - 1);
      String first = after.get(0);
      if (!PyText.lower(last).equals(PyText.lower(first))) {
        return Verdict.violated(
            "sentence "
                + i
                + " ends with "
                + Wording.brief(last)
                + ", the next begins with "
                + Wording.brief(first));
      }
    }
    return Verdict.satisfied("every sentence begins with the word before it");
  }
}
