package org.hirengine.verify.ifbench;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.KeywordPattern;
import org.hirengine.text.regex.PyPattern;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.rule.WordPool;
import org.hirengine.verify.rule.Wording;

/**
 * {@code IncludeKeywordChecker}: a keyword in the n-th sentence, in any case; between word
 * boundaries only in the second revision. Sentence 0 is the last one, as in Python.
 */
final class SentenceKeyword extends RuleType {

  private static final String WORD = "word";
  private static final String NUMBER = "N";

  private final Sentences sentences;

  SentenceKeyword(Sentences sentences) {
    super("sentence:keyword");
    this.sentences = sentences;
  }

  private Predicate<String> contains(String keyword) {
    if (sentences.revision() == Revision.R1) {
      String lower = PyText.lower(keyword);
      return sentence -> PyText.lower(sentence).contains(lower);
    }
    KeywordPattern pattern = KeywordPattern.word(PyPattern.escape(keyword));
    return sentence -> pattern.occurs(CodePoints.of(sentence));
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    String keyword = kwargs.text(WORD);
    Predicate<String> contains = contains(keyword);
    int number = kwargs.integer(NUMBER, 0);
    return response -> {
      List<String> all = sentences.of(response);
      if (all.size() < Math.max(number, 1)) {
        return Verdict.violated(
            Wording.count(all.size(), "sentence") + ", there is no sentence " + number);
      }
      boolean found = contains.test(all.get(number == 0 ? all.size() - 1 : number - 1));
      return Verdict.of(
          found,
          "keyword "
              + Wording.brief(keyword)
              + (found ? " found" : " not found")
              + " in sentence "
              + number);
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "Use the word \""
        + kwargs.text(WORD)
        + "\" in sentence "
        + kwargs.integer(NUMBER, 0)
        + " of your response.";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(
        kwargs(WORD, WordPool.sample(random, 1).get(0), NUMBER, 1 + random.nextInt(10)));
  }

  /** The sentence that has the word; else another word of the sentence, or of a random one. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    List<String> all = sentences.of(response);
    String asked = kwargs.text(WORD);
    Predicate<String> contains = contains(asked);
    for (int i = 0; i < all.size(); i++) {
      if (contains.test(all.get(i))) {
        return Optional.of(kwargs(WORD, asked, NUMBER, i + 1));
      }
    }
    int number = kwargs.integer(NUMBER, 0);
    if (number < 1 || number > all.size()) {
      number = 1 + random.nextInt(Math.max(1, all.size()));
    }
    List<String> words =
        all.isEmpty() ? List.of() : WordPool.keywords(Response.of(all.get(number - 1)));
    return words.isEmpty()
        ? Optional.empty()
        : Optional.of(kwargs(WORD, words.get(random.nextInt(words.size())), NUMBER, number));
  }
}
