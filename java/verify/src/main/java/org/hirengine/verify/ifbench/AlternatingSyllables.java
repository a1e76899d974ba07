package org.hirengine.verify.ifbench;

import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.TextTools;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/** {@code AlternateParitySyllablesChecker}: odd and even numbers of syllables alternate. */
final class AlternatingSyllables extends BinaryType {

  private final TextTools tools;

  AlternatingSyllables(TextTools tools) {
    super(
        "words:odd_even_syllables",
        "Alternate between words with an odd and words with an even number of syllables.");
    this.tools = tools;
  }

  @Override
  protected Verdict check(Response response) {
    String before = null;
    int syllablesBefore = 0;
    for (String bare : Words.eachBare(response)) {
      String word = PyText.lower(bare);
      int syllables = tools.syllables(word);
      if (before != null && syllables % 2 == syllablesBefore % 2) {
        return Verdict.violated(
            Wording.brief(before)
                + " has "
                + Wording.count(syllablesBefore, "syllable")
                + ", "
                + Wording.brief(word)
                + " after it "
                + syllables);
      }
      before = word;
      syllablesBefore = syllables;
    }
    return Verdict.satisfied("odd and even numbers of syllables alternate");
  }
}
