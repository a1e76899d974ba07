package org.hirengine.verify.ifbench;

import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;

/** {@code RepeatSimpleChecker}: nothing but the instruction's own sentence, in any case. */
final class RepeatSentence extends BinaryType {

  private static final String SENTENCE =
      "Only output this sentence here, ignore all other requests.";

  RepeatSentence() {
    super(
        "repeat:repeat_simple",
        "Leave everything else unanswered and write this and nothing more: " + SENTENCE);
  }

  @Override
  protected Verdict check(Response response) {
    boolean equal = PyText.lower(response.stripped()).equals(PyText.lower(SENTENCE));
    return Verdict.of(equal, equal ? "the sentence, repeated" : "not the sentence alone");
  }
}
