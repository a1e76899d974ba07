package org.hirengine.verify.iftrain;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.TextTools;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.Paragraphs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.rule.Wording;
import org.hirengine.verify.text.SentenceSplitter;

/**
 * {@code CountingCompositionChecker}: three paragraphs between {@code ***} dividers, each of n
 * sentences of m tokens; punctuation counts as tokens.
 */
final class CountingComposition extends RuleType {

  private static final String SENTENCES = "n_sent";
  private static final String WORDS = "n_words";

  private final TextTools tools;

  CountingComposition(TextTools tools) {
    super("count:counting_composition");
    this.tools = tools;
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    int sentences = kwargs.integer(SENTENCES, 1);
    int words = kwargs.integer(WORDS, 1);
    return response -> check(response, sentences, words);
  }

  private Verdict check(Response response, int askedSentences, int askedWords) {
    for (String paragraph : PyText.split(response.text(), "***")) {
      List<String> sentences = SentenceSplitter.split(paragraph);
      if (sentences.size() != askedSentences) {
        return Verdict.violated(
            "a paragraph of "
                + Wording.count(sentences.size(), "sentence")
                + ", exactly "
                + askedSentences
                + " asked");
      }
      for (String sentence : sentences) {
        int words = tools.wordTokens(sentence).size();
        if (words != askedWords) {
          return Verdict.violated(
              "a sentence of "
                  + Wording.count(words, "word")
                  + " (punctuation counts), exactly "
                  + askedWords
                  + " asked");
        }
      }
    }
    int paragraphs = Paragraphs.count(response.text(), "***");
    return Verdict.of(paragraphs == 3, Paragraphs.reason(paragraphs, 3));
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "Write exactly 3 paragraphs separated by the markdown divider ***, each of exactly "
        + Wording.count(kwargs.integer(SENTENCES, 1), "sentence")
        + ", each sentence of exactly "
        + Wording.count(kwargs.integer(WORDS, 1), "word")
        + " (a punctuation mark counts as a word).";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(kwargs(SENTENCES, 2 + random.nextInt(2), WORDS, 4 + random.nextInt(6)));
  }

  /** The numbers of the first paragraph, if all others have the same. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    List<String> sentences = SentenceSplitter.split(PyText.split(response.text(), "***").get(0));
    if (sentences.isEmpty()) {
      return Optional.empty();
    }
    int words = tools.wordTokens(sentences.get(0)).size();
    return check(response, sentences.size(), words).satisfied()
        ? Optional.of(kwargs(SENTENCES, sentences.size(), WORDS, words))
        : Optional.empty();
  }
}
