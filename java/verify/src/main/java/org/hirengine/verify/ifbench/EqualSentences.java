package org.hirengine.verify.ifbench;

import java.util.List;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/** {@code CharacterCountUniqueWordsChecker}: three sentences of the same length. */
final class EqualSentences extends BinaryType {

  private final Sentences sentences;

  EqualSentences(Sentences sentences) {
    super(
        "ratio:sentence_words",
        "Write exactly three sentences of the same number of characters, all in different words.");
    this.sentences = sentences;
  }

  /** The reference never compares the words. */
  @Override
  protected Verdict check(Response response) {
    List<String> found = sentences.of(response);
    if (found.size() != 3) {
      return Verdict.violated(Wording.count(found.size(), "sentence") + ", exactly 3 asked");
    }
    List<Integer> lengths = found.stream().map(s -> PyText.length(PyText.strip(s))).toList();
    return Verdict.of(
        lengths.stream().distinct().count() == 1, "sentences of " + lengths + " characters");
  }
}
