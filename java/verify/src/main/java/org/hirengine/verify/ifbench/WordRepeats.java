package org.hirengine.verify.ifbench;

import java.util.random.RandomGenerator;
import org.hirengine.verify.Response;
import org.hirengine.verify.rule.NumberType;
import org.hirengine.verify.rule.Wording;

/** {@code LimitedWordRepeatChecker}: how often the most frequent word occurs, at most. */
final class WordRepeats extends NumberType {

  WordRepeats() {
    super("words:repeats", "small_n", "use", Match.AT_MOST);
  }

  @Override
  protected int count(Response response) {
    return Words.lowerBare(response).mostFrequent();
  }

  @Override
  protected String sentence(int asked) {
    return "Use no word more than " + Wording.count(asked, "time") + ".";
  }

  @Override
  protected int sampleCount(RandomGenerator random) {
    return 1 + random.nextInt(5);
  }
}
