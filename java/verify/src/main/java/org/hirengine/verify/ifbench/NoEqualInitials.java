package org.hirengine.verify.ifbench;

import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/** {@code NoConsecutiveFirstLetterChecker}: no neighbouring words with the same first letter. */
final class NoEqualInitials extends BinaryType {

  NoEqualInitials() {
    super(
        "words:no_consecutive", "Let no two neighbouring words begin with the same first letter.");
  }

  @Override
  protected Verdict check(Response response) {
    String before = null;
    int initialBefore = -1;
    for (String word : Words.eachBare(response)) {
      int initial = Words.initial(word);
      if (before != null && initial == initialBefore) {
        return Verdict.violated(Wording.brief(before) + " is followed by " + Wording.brief(word));
      }
      before = word;
      initialBefore = initial;
    }
    return Verdict.satisfied("no neighbouring words with the same initial");
  }
}
