package org.hirengine.verify.ifbench;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.rule.Wording;

/** {@code IncrementingWordCountChecker}: each sentence has exactly n words more than the last. */
final class WordIncrement extends RuleType {

  private static final String STEP = "small_n";

  private final Sentences sentences;

  WordIncrement(Sentences sentences) {
    super("sentence:increment");
    this.sentences = sentences;
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    int step = kwargs.integer(STEP, 0);
    return response -> {
      List<String> all = sentences.of(response);
      if (all.isEmpty()) {
        return Revision.raises("there are no sentences");
      }
      int asked = Words.bare(all.get(0)).size();
      for (int i = 1; i < all.size(); i++) {
        asked += step;
        int count = Words.bare(all.get(i)).size();
        if (count != asked) {
          return Verdict.violated(
              "sentence "
                  + (i + 1)
                  + " has "
                  + Wording.count(count, "word")
                  + ", exactly "
                  + asked
                  + " asked");
        }
      }
      return Verdict.satisfied("every sentence grows by " + Wording.count(step, "word"));
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "Let every sentence have exactly "
        + Wording.count(kwargs.integer(STEP, 0), "word")
        + " more than the sentence before it.";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(kwargs(STEP, 1 + random.nextInt(5)));
  }

  /** The step between the first two sentences, if all have the same. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    List<String> all = sentences.of(response);
    if (all.size() < 2) {
      return Optional.empty();
    }
    int step = Words.bare(all.get(1)).size() - Words.bare(all.get(0)).size();
    Map<String, Object> candidate = kwargs(STEP, step);
    return step > 0 && parse(candidate).check(response).satisfied()
        ? Optional.of(candidate)
        : Optional.empty();
  }
}
