package org.hirengine.verify.ifbench;

import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.rule.Wording;

/** {@code WordCountRangeChecker}: runs of word characters, between two bounds. */
final class WordCountRange extends RuleType {

  private static final String LEAST = "min_words";
  private static final String MOST = "max_words";

  WordCountRange() {
    super("count:word_count_range");
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    int least = kwargs.integer(LEAST, 0);
    int most = kwargs.integer(MOST, least);
    return response -> {
      int count = response.words().size();
      return Verdict.of(
          least <= count && count <= most,
          Wording.count(count, "word") + ", " + least + " to " + most + " asked");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "Write between "
        + kwargs.integer(LEAST, 0)
        + " and "
        + kwargs.integer(MOST, 0)
        + " words.";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    int least = 10 * (5 + random.nextInt(36));
    return Optional.of(kwargs(LEAST, least, MOST, least + least / 10 + random.nextInt(20)));
  }

  /** A range of the same width, around the count. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    int width = kwargs.integer(MOST, 0) - kwargs.integer(LEAST, 0);
    int count = response.words().size();
    if (width < 0 || count == 0) {
      return Optional.empty();
    }
    int least = Math.max(1, count - random.nextInt(width + 1));
    return Optional.of(kwargs(LEAST, least, MOST, least + width));
  }
}
