package org.hirengine.verify.ifbench;

import java.util.Iterator;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/** {@code AlphabetLoopChecker}: each word begins with the letter after its predecessor's. */
final class AlphabetLoop extends BinaryType {

  private final Revision revision;

  AlphabetLoop(Revision revision) {
    super(
        "words:alphabet",
        "Begin each word with the next letter of the alphabet, going back to A after Z.");
    this.revision = revision;
  }

  @Override
  protected Verdict check(Response response) {
    Iterator<String> words = Words.eachBare(response).iterator();
    if (!words.hasNext()) {
      return revision.raised("there are no words");
    }
    String first = words.next();
    int letter = Words.initial(first);
    // U+0130 in lower case is two characters, which the reference does not take for a letter.
    if (letter < 'a' || letter > 'z' || first.codePointAt(0) == 0x130) {
      return Verdict.violated(
          "the first word, " + Wording.brief(first) + ", does not begin with a letter a-z");
    }
    while (words.hasNext()) {
      String word = words.next();
      letter = letter == 'z' ? 'a' : letter + 1;
      if (Words.initial(word) != letter) {
        return Verdict.violated(
            Wording.brief(word) + " does not begin with '" + (char) letter + "'");
      }
    }
    return Verdict.satisfied("the initials run through the alphabet");
  }
}
