package org.hirengine.verify.iftrain;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.rule.WordPool;
import org.hirengine.verify.rule.Wording;

/** {@code ExcludeWordHarderChecker}: the keyword does not stand between two spaces. */
final class ExcludedWord extends RuleType {

  private static final String KEYWORD = "keyword";

  ExcludedWord() {
    super("keywords:exclude_word_harder");
  }

  private static boolean contains(Response response, String keyword) {
    return response.text().contains(" " + keyword + " ");
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    String keyword = PyText.strip(kwargs.text(KEYWORD));
    return response -> {
      boolean found = contains(response, keyword);
      return Verdict.of(
          !found, "word " + Wording.brief(keyword) + (found ? " found" : " does not occur"));
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "Do not use the word \"" + kwargs.text(KEYWORD) + "\".";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    List<String> words = PyText.words(question);
    String word =
        words.isEmpty()
            ? WordPool.sample(random, 1).get(0)
            : words.get(random.nextInt(words.size()));
    return Optional.of(kwargs(KEYWORD, word));
  }

  /** None: the absence of any other word would be trivial. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    return Optional.empty();
  }
}
