package org.hirengine.verify.ifbench;

import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/**
 * {@code IncrementingAlliterationChecker}: the number of words in runs of equal initials grows from
 * sentence to sentence.
 */
final class AlliterationIncrement extends BinaryType {

  private final Sentences sentences;

  AlliterationIncrement(Sentences sentences) {
    super(
        "sentence:alliteration_increment",
        "Let every sentence have a longer run of words with the same first letter than the sentence"
            + " before it.");
    this.sentences = sentences;
  }

  @Override
  protected Verdict check(Response response) {
    int before = -1;
    int number = 0;
    for (String sentence : sentences.of(response)) {
      number++;
      int count = alliterating(sentence);
      if (count <= before) {
        return Verdict.violated(
            "sentence "
                + number
                + " has "
                + Wording.count(count, "alliterating word")
                + ", the one before it "
                + before);
      }
      before = count;
    }
    return Verdict.satisfied("the alliterations grow");
  }

  /** How many words share the initial of a neighbour. */
  private static int alliterating(String sentence) {
    int count = 0;
    int initialBefore = -1;
    boolean within = false;
    String lower = PyText.lower(sentence);
    boolean inWord = false;
    for (int i = 0; i < lower.length(); i++) {
      char c = lower.charAt(i);
      if (inWord || PyChars.isSpace(c)) {
        inWord = inWord && !PyChars.isSpace(c);
        continue;
      }
      if (PyChars.isPunctuation(c)) {
        continue;
      }
      inWord = true;
      int initial = lower.codePointAt(i);
      boolean same = initial == initialBefore;
      count += same ? within ? 1 : 2 : 0;
      within = same;
      initialBefore = initial;
    }
    return count;
  }
}
