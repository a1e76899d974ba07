package org.hirengine.verify.rule;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.jspecify.annotations.Nullable;

/**
 * {@code KeywordSpecificPositionChecker}: the m-th token of the n-th sentence. The references
 * differ in what a sentence and a token are, and in whether case matters.
 */
public final class KeywordPosition extends RuleType {

  private static final String KEYWORD = "keyword";
  private static final String SENTENCE = "n";
  private static final String WORD = "m";

  private final Function<Response, List<String>> sentences;
  private final Function<String, List<String>> tokens;
  private final boolean ignoreCase;

  public KeywordPosition(
      String id,
      Function<Response, List<String>> sentences,
      Function<String, List<String>> tokens,
      boolean ignoreCase) {
    super(id);
    this.sentences = sentences;
    this.tokens = tokens;
    this.ignoreCase = ignoreCase;
  }

  /** The token at a position, or null if there is none. */
  private @Nullable String token(Response response, int sentence, int word) {
    List<String> all = sentences.apply(response);
    if (sentence > all.size()) {
      return null;
    }
    List<String> words = tokens.apply(all.get(sentence - 1));
    return word > words.size() ? null : words.get(word - 1);
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    String keyword = PyText.strip(kwargs.text(KEYWORD));
    int sentence = kwargs.integer(SENTENCE, 1);
    int word = kwargs.integer(WORD, 1);
    return response -> {
      String found = token(response, sentence, word);
      return Verdict.of(
          found != null
              && (ignoreCase
                  ? PyText.lower(keyword).equals(PyText.lower(found))
                  : keyword.equals(found)),
          (found == null
                  ? "there is no word " + word + " in sentence " + sentence
                  : "word " + word + " of sentence " + sentence + " is " + Wording.brief(found))
              + ", "
              + Wording.brief(keyword)
              + " asked");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "Let word "
        + kwargs.integer(WORD, 1)
        + " of sentence "
        + kwargs.integer(SENTENCE, 1)
        + " be \""
        + kwargs.text(KEYWORD)
        + "\".";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(
        kwargs(
            KEYWORD, WordPool.sample(random, 1).get(0),
            SENTENCE, 1 + random.nextInt(4),
            WORD, 1 + random.nextInt(6)));
  }

  /** The word at the requested position, or at another one. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    int sentence = kwargs.integer(SENTENCE, 1);
    int word = kwargs.integer(WORD, 1);
    for (int tries = 0; tries < 16; tries++) {
      String found = token(response, sentence, word);
      if (found != null && found.codePoints().allMatch(PyChars::isAlpha)) {
        return Optional.of(kwargs(KEYWORD, found, SENTENCE, sentence, WORD, word));
      }
      sentence = 1 + random.nextInt(Math.max(1, sentences.apply(response).size()));
      word = 1 + random.nextInt(6);
    }
    return Optional.empty();
  }
}
