package org.hirengine.verify.iftrain;

import java.util.List;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/** {@code AdjacentLetterChecker}: no word begins one letter after the word before it. */
final class NoConsecutiveInitials extends BinaryType {

  NoConsecutiveInitials() {
    super(
        "keywords:no_adjacent_consecutive",
        "Let no two neighbouring words begin with letters that follow each other in the alphabet.");
  }

  @Override
  protected Verdict check(Response response) {
    List<String> words = response.tokens();
    for (int i = 1; i < words.size(); i++) {
      int before = initial(words.get(i - 1));
      int after = initial(words.get(i));
      if (before < 0 || after < 0 || after - before == 1) {
        return Verdict.violated(
            Wording.brief(words.get(i - 1)) + " is followed by " + Wording.brief(words.get(i)));
      }
    }
    return Verdict.satisfied("no neighbouring words with consecutive initials");
  }

  /** The first character in lower case; -1 where that is more than one (U+0130). */
  private static int initial(String word) {
    String lower = PyText.lower(Character.toString(word.codePointAt(0)));
    return PyText.length(lower) == 1 ? lower.codePointAt(0) : -1;
  }
}
