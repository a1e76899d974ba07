package org.hirengine.verify.ifeval;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.text.regex.KeywordPattern;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.rule.WordPool;
import org.hirengine.verify.rule.Wording;

/** {@code KeywordChecker}: every keyword occurs, as an unescaped pattern, in any case. */
final class Keywords extends RuleType {

  private static final String KEYWORDS = "keywords";

  Keywords() {
    super("keywords:existence");
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    List<KeywordPattern> patterns =
        kwargs.texts(KEYWORDS).stream().sorted().map(KeywordPattern::of).toList();
    return response -> {
      for (KeywordPattern pattern : patterns) {
        if (!pattern.occurs(response.codePoints())) {
          return Verdict.violated("keyword " + Wording.brief(pattern) + " is missing");
        }
      }
      return Verdict.satisfied("all " + Wording.count(patterns.size(), "keyword") + " found");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    List<String> keywords = kwargs.texts(KEYWORDS);
    return keywords.size() == 1
        ? "Include the keyword " + Wording.list(keywords) + "."
        : "Include the keywords " + Wording.list(keywords) + ".";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(kwargs(KEYWORDS, WordPool.sample(random, 1 + random.nextInt(3))));
  }

  @Override
  protected List<String> quoted(Kwargs kwargs) {
    return kwargs.texts(KEYWORDS);
  }

  /** Keeps the keywords that occur and replaces the others with words of the response. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    List<String> there = new ArrayList<>(WordPool.keywords(response));
    List<String> keywords = new ArrayList<>();
    for (String keyword : kwargs.texts(KEYWORDS)) {
      if (KeywordPattern.of(keyword).occurs(response.codePoints())) {
        keywords.add(keyword);
        there.remove(keyword);
      }
    }
    while (keywords.size() < kwargs.texts(KEYWORDS).size()) {
      if (there.isEmpty()) {
        return Optional.empty();
      }
      keywords.add(there.remove(random.nextInt(there.size())));
    }
    return Optional.of(kwargs(KEYWORDS, keywords));
  }
}
