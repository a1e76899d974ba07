package org.hirengine.verify.iftrain;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.rule.WordPool;
import org.hirengine.verify.rule.Wording;

/**
 * {@code FirstWordSentChecker}, {@code FirstWordAnswerChecker}, {@code LastWordSentChecker} and
 * {@code LastWordAnswerChecker}: the first or last word of the answer, or of each sentence of it,
 * in any case. A first word keeps its punctuation, a last word loses it.
 */
final class EdgeWord extends RuleType {

  private final String name;
  private final boolean first;
  private final boolean everySentence;

  private EdgeWord(String id, boolean first, boolean everySentence) {
    super(id);
    this.name = first ? "first_word" : "last_word";
    this.first = first;
    this.everySentence = everySentence;
  }

  static EdgeWord firstOfSentences() {
    return new EdgeWord("first_word:first_word_sent", true, true);
  }

  static EdgeWord firstOfAnswer() {
    return new EdgeWord("first_word:first_word_answer", true, false);
  }

  static EdgeWord lastOfSentences() {
    return new EdgeWord("last_word:last_word_sent", false, true);
  }

  static EdgeWord lastOfAnswer() {
    return new EdgeWord("last_word:last_word_answer", false, false);
  }

  /** The words in question, in lower case; an empty sentence has an empty one. */
  private List<String> words(Response response) {
    List<String> parts = everySentence ? response.splitSentences() : List.of(response.text());
    List<String> found = new ArrayList<>();
    for (String part : parts) {
      List<String> words = PyText.split(part);
      String word = words.isEmpty() ? "" : words.get(first ? 0 : words.size() - 1);
      found.add(PyText.lower(first ? word : withoutPunctuation(word)));
    }
    return found;
  }

  private static String withoutPunctuation(String word) {
    return word.codePoints()
        .filter(PyChars::isWord)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  private String edge() {
    return first ? "first" : "last";
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    String asked = PyText.lower(PyText.strip(kwargs.text(name)));
    return response -> {
      for (String word : words(response)) {
        if (!word.equals(asked)) {
          return Verdict.violated(
              "the "
                  + edge()
                  + " word"
                  + (everySentence ? " of a sentence" : "")
                  + " is "
                  + Wording.brief(word)
                  + ", "
                  + Wording.brief(asked)
                  + " asked");
        }
      }
      return Verdict.satisfied("the " + edge() + " word is " + Wording.brief(asked));
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return (first ? "Begin " : "End ")
        + (everySentence ? "every sentence" : "your response")
        + " with the word \""
        + kwargs.text(name)
        + "\".";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(kwargs(name, WordPool.sample(random, 1).get(0)));
  }

  /** The word found, if all are the same. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    List<String> words = words(response).stream().distinct().toList();
    return words.size() == 1
            && !words.get(0).isEmpty()
            && words.get(0).codePoints().allMatch(PyChars::isWord)
        ? Optional.of(kwargs(name, words.get(0)))
        : Optional.empty();
  }
}
