package org.hirengine.verify.iftrain;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.KeywordPattern;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.rule.WordPool;
import org.hirengine.verify.rule.Wording;

/**
 * {@code CountIncrementWordChecker}: one match of the first unescaped keyword and two of the
 * second, in any case.
 */
final class IncrementingKeywords extends RuleType {

  private static final String ONCE = "keyword1";
  private static final String TWICE = "keyword2";

  IncrementingKeywords() {
    super("count:count_increment_word");
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    KeywordPattern once = KeywordPattern.of(PyText.strip(kwargs.text(ONCE)));
    KeywordPattern twice = KeywordPattern.of(PyText.strip(kwargs.text(TWICE)));
    return response -> {
      int first = once.count(response.codePoints());
      int second = twice.count(response.codePoints());
      return Verdict.of(
          first == 1 && second == 2,
          Wording.brief(once)
              + " found "
              + Wording.count(first, "time")
              + ", 1 asked; "
              + Wording.brief(twice)
              + " found "
              + Wording.count(second, "time")
              + ", 2 asked");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "Use the word \""
        + kwargs.text(ONCE)
        + "\" exactly once and the word \""
        + kwargs.text(TWICE)
        + "\" exactly twice.";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    List<String> words = WordPool.sample(random, 2);
    return Optional.of(kwargs(ONCE, words.get(0), TWICE, words.get(1)));
  }

  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    List<String> once = WordPool.occurring(response, 1);
    List<String> twice = WordPool.occurring(response, 2);
    return once.isEmpty() || twice.isEmpty()
        ? Optional.empty()
        : Optional.of(
            kwargs(
                ONCE, once.get(random.nextInt(once.size())),
                TWICE, twice.get(random.nextInt(twice.size()))));
  }
}
