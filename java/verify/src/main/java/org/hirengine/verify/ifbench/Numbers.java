package org.hirengine.verify.ifbench;

import java.util.random.RandomGenerator;
import org.hirengine.text.PyChars;
import org.hirengine.verify.Response;
import org.hirengine.verify.rule.NumberType;
import org.hirengine.verify.rule.Wording;

/**
 * {@code NumbersCountChecker}: runs of digits once all ASCII punctuation is gone, so that {@code
 * 1,000.5} is one number.
 */
final class Numbers extends NumberType {

  Numbers() {
    super("count:numbers", "N", "number", Match.EXACTLY);
  }

  @Override
  protected int count(Response response) {
    String text = response.text();
    int count = 0;
    boolean within = false;
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      if (PyChars.isDecimal(c)) {
        count += within ? 0 : 1;
        within = true;
      } else if (!PyChars.isPunctuation(c)) {
        within = false;
      }
      i += Character.charCount(c);
    }
    return count;
  }

  @Override
  protected String sentence(int asked) {
    return "Include exactly " + Wording.count(asked, "number") + ", written in digits.";
  }

  @Override
  protected int sampleCount(RandomGenerator random) {
    return 1 + random.nextInt(10);
  }
}
