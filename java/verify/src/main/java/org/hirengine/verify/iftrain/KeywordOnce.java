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

/** {@code KeywordFrequencyOnceChecker}: exactly one match of the unescaped keyword, in any case. */
final class KeywordOnce extends RuleType {

  private static final String KEYWORD = "keyword";

  KeywordOnce() {
    super("keywords:word_once");
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    KeywordPattern keyword = KeywordPattern.of(PyText.strip(kwargs.text(KEYWORD)));
    return response -> {
      int count = keyword.count(response.codePoints());
      return Verdict.of(
          count == 1,
          "keyword "
              + Wording.brief(keyword)
              + " found "
              + Wording.count(count, "time")
              + ", exactly 1 asked");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "Use the word \"" + kwargs.text(KEYWORD) + "\" exactly once.";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(kwargs(KEYWORD, WordPool.sample(random, 1).get(0)));
  }

  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    List<String> once = WordPool.occurring(response, 1);
    return once.isEmpty()
        ? Optional.empty()
        : Optional.of(kwargs(KEYWORD, once.get(random.nextInt(once.size()))));
  }
}
