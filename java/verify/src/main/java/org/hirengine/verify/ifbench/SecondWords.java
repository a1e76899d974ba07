package org.hirengine.verify.ifbench;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.TextTools;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.rule.WordPool;
import org.hirengine.verify.rule.Wording;
import org.hirengine.verify.text.WordTokenizer;

/**
 * {@code WordsPositionChecker}: the second token and the last but one are the keyword. Punctuation
 * counts as tokens, except a final mark in the second revision, which also ignores case.
 */
final class SecondWords extends RuleType {

  private static final String KEYWORD = "keyword";

  private final Revision revision;
  private final TextTools tools;

  SecondWords(Revision revision, TextTools tools) {
    super("words:words_position");
    this.revision = revision;
    this.tools = tools;
  }

  /** The two tokens in question; none if there are too few. */
  private List<String> tokens(Response response) {
    List<String> sentences = tools.sentences(response);
    List<String> last = new ArrayList<>();
    for (int i = sentences.size(); i > 0 && last.size() < 3; i--) {
      last.addAll(0, WordTokenizer.tokenize(sentences.get(i - 1)));
    }
    int n = last.size();
    boolean finalMark =
        revision == Revision.R2 && n > 0 && PyChars.ASCII_PUNCTUATION.contains(last.get(n - 1));
    int fromEnd = finalMark ? 3 : 2;
    if (n < fromEnd) {
      return List.of();
    }
    List<String> first = new ArrayList<>();
    for (int i = 0; first.size() < 2; i++) {
      first.addAll(WordTokenizer.tokenize(sentences.get(i)));
    }
    return List.of(first.get(1), last.get(n - fromEnd));
  }

  private boolean equal(String a, String b) {
    return revision == Revision.R1 ? a.equals(b) : PyText.lower(a).equals(PyText.lower(b));
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    String keyword = PyText.strip(kwargs.text(KEYWORD));
    return response -> {
      List<String> tokens = tokens(response);
      return tokens.isEmpty()
          ? Verdict.violated("too few words")
          : Verdict.of(
              tokens.stream().allMatch(token -> equal(token, keyword)),
              "the second word is "
                  + Wording.brief(tokens.get(0))
                  + ", the last but one "
                  + Wording.brief(tokens.get(1))
                  + ", "
                  + Wording.brief(keyword)
                  + " asked");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "Let your second word and your last word but one both be \""
        + kwargs.text(KEYWORD)
        + "\""
        + (revision == Revision.R1 ? ", a punctuation mark counting as a word." : ".");
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(kwargs(KEYWORD, WordPool.sample(random, 1).get(0)));
  }

  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    List<String> tokens = tokens(response);
    return !tokens.isEmpty() && equal(tokens.get(0), tokens.get(1)) && Words.plain(tokens.get(0))
        ? Optional.of(kwargs(KEYWORD, tokens.get(0)))
        : Optional.empty();
  }
}
