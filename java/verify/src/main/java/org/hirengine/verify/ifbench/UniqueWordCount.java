package org.hirengine.verify.ifbench;

import java.util.random.RandomGenerator;
import org.hirengine.verify.Response;
import org.hirengine.verify.rule.NumberType;
import org.hirengine.verify.rule.Wording;

/**
 * {@code UniqueWordCountChecker}: distinct words in lower case, without surrounding punctuation.
 */
final class UniqueWordCount extends NumberType {

  UniqueWordCount() {
    super("count:unique_word_count", "N", "different word", Match.AT_LEAST);
  }

  /** Punctuation alone counts as the empty word, as in the reference. */
  @Override
  protected int count(Response response) {
    return Words.lowerStripped(response).different();
  }

  @Override
  protected String sentence(int asked) {
    return "Use at least " + asked + " different " + Wording.plural(asked, "word") + ".";
  }

  @Override
  protected int sampleCount(RandomGenerator random) {
    return 10 * (4 + random.nextInt(20));
  }
}
