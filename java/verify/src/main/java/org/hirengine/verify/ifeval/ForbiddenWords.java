package org.hirengine.verify.ifeval;

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

/** {@code ForbiddenWords}: none of the unescaped words occurs between word boundaries. */
final class ForbiddenWords extends RuleType {

  private static final String WORDS = "forbidden_words";

  ForbiddenWords() {
    super("keywords:forbidden_words");
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    List<KeywordPattern> patterns =
        kwargs.texts(WORDS).stream().distinct().sorted().map(KeywordPattern::word).toList();
    return response -> {
      for (KeywordPattern pattern : patterns) {
        if (pattern.occurs(response.codePoints())) {
          return Verdict.violated("forbidden word " + Wording.brief(pattern) + " found");
        }
      }
      return Verdict.satisfied(
          "none of " + Wording.count(patterns.size(), "forbidden word") + " found");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    List<String> words = kwargs.texts(WORDS);
    return words.size() == 1
        ? "Do not use the word " + Wording.list(words) + "."
        : "Do not use any of the words " + Wording.list(words) + ".";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(kwargs(WORDS, WordPool.sample(random, 1 + random.nextInt(3))));
  }

  /** The words that were avoided. The absence of any other word would be trivial. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    List<String> avoided =
        kwargs.texts(WORDS).stream()
            .filter(word -> !KeywordPattern.word(word).occurs(response.codePoints()))
            .toList();
    return avoided.isEmpty() ? Optional.empty() : Optional.of(kwargs(WORDS, avoided));
  }
}
