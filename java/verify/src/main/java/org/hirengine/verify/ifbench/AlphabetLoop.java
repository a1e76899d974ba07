package org.hirengine.verify.ifbench;

import java.util.List;
import org.hirengine.text.PyText;
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
    List<String> words = Words.bare(response);
    if (words.isEmpty()) {
      return revision.raised("there are no words");
    }
    int letter = initial(words.get(0));
    // U+0130 becomes two characters in lower case, which is no letter to the reference here.
    if (letter < 'a' || letter > 'z' || words.get(0).codePointAt(0) == 0x130) {
      return Verdict.violated(
          "the first word, " + Wording.brief(words.get(0)) + ", does not begin with a letter a-z");
    }
    for (String word : words.subList(1, words.size())) {
      letter = letter == 'z' ? 'a' : letter + 1;
      if (initial(word) != letter) {
        return Verdict.violated(
            Wording.brief(word) + " does not begin with '" + (char) letter + "'");
      }
    }
    return Verdict.satisfied("the initials run through the alphabet");
  }

  /** The first character in lower case. */
  private static int initial(String word) {
    return PyText.lower(Character.toString(word.codePointAt(0))).codePointAt(0);
  }
}
