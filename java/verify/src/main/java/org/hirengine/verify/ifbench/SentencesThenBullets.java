package org.hirengine.verify.ifbench;

import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/**
 * {@code SomeBulletPointsChecker}: lines of at least two sentences, then nothing but at least two
 * bullet points. A blank line ends the sentences.
 */
final class SentencesThenBullets extends BinaryType {

  private final Sentences sentences;

  SentencesThenBullets(Sentences sentences) {
    super(
        "format:no_bullets_bullets",
        "Write at least two sentences, and right after them nothing but at least two bullet points"
            + " marked by *.");
    this.sentences = sentences;
  }

  @Override
  protected Verdict check(Response response) {
    boolean inSentences = true;
    int found = 0;
    int bullets = 0;
    for (String whole : PyText.split(response.text(), "\n")) {
      String line = PyText.strip(whole);
      if (line.startsWith("*")) {
        inSentences = false;
        bullets++;
        if (found < 2) {
          return Verdict.violated(
              Wording.count(found, "sentence") + " before the bullet points, at least 2 asked");
        }
      } else if (inSentences) {
        int inLine = sentences.of(line).size();
        found += inLine;
        inSentences = inLine > 0;
      } else {
        return Verdict.violated(Wording.brief(line) + " is no bullet point");
      }
    }
    return Verdict.of(bullets >= 2, Wording.count(bullets, "bullet point") + ", at least 2 asked");
  }
}
