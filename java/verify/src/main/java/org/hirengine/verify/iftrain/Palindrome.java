package org.hirengine.verify.iftrain;

import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/** {@code PalindromeBasicChecker}: a word between white space that reads the same backwards. */
final class Palindrome extends BinaryType {

  Palindrome() {
    super("keywords:palindrome", "Include a palindrome.");
  }

  @Override
  protected Verdict check(Response response) {
    for (String word : response.tokens()) {
      if (word.equals(PyText.reverse(word))) {
        return Verdict.satisfied("palindrome " + Wording.brief(word) + " found");
      }
    }
    return Verdict.violated("no palindrome found");
  }
}
