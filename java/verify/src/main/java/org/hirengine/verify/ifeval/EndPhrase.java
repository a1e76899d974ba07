package org.hirengine.verify.ifeval;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.rule.Wording;

/** {@code EndChecker}: the text, without surrounding quotes, ends with a phrase in any case. */
final class EndPhrase extends RuleType {

  private static final String PHRASE = "end_phrase";
  private static final String MARKS = ".!?…。！？।";

  private static final List<String> PHRASES =
      List.of(
          "That is all.",
          "What do you think?",
          "I hope this helps.",
          "Thank you for reading.",
          "More on this another day.",
          "Is there anything else you would like to know?");

  /** Of a sentence to end with. */
  private static final int FEWEST_WORDS = 2;

  private static final int MOST_WORDS = 10;

  EndPhrase() {
    super("startend:end_checker");
  }

  private static String ending(Response response) {
    return PyText.lower(PyText.strip(response.stripped(), "\""));
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    String phrase = PyText.lower(PyText.strip(kwargs.text(PHRASE)));
    return response -> {
      boolean ends = ending(response).endsWith(phrase);
      return Verdict.of(ends, (ends ? "ends" : "does not end") + " with " + Wording.brief(phrase));
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "End with the exact words \"" + kwargs.text(PHRASE) + "\" and nothing after them.";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(kwargs(PHRASE, PHRASES.get(random.nextInt(PHRASES.size()))));
  }

  @Override
  protected List<String> quoted(Kwargs kwargs) {
    return List.of(kwargs.text(PHRASE));
  }

  /**
   * The response's last sentence: an instruction would not ask for a part of one, or for a whole
   * answer.
   */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    String text = PyText.strip(response.stripped(), "\"");
    int begin = lastSentence(text);
    String phrase = text.substring(begin);
    int words = PyText.split(phrase).size();
    return begin > 0
            && words >= FEWEST_WORDS
            && words <= MOST_WORDS
            && phrase.equals(PyText.strip(phrase))
            && Character.isLetterOrDigit(phrase.codePointAt(0))
            && phrase.codePoints().allMatch(EndPhrase::isProse)
        ? Optional.of(kwargs(PHRASE, phrase))
        : Optional.empty();
  }

  /** Where the last sentence of a text begins, after a line break, or a mark and white space. */
  private static int lastSentence(String text) {
    int at = text.length();
    while (at > 0 && MARKS.indexOf(text.charAt(at - 1)) >= 0) {
      at--;
    }
    while (at > 0
        && text.charAt(at - 1) != '\n'
        && !(PyChars.isSpace(text.charAt(at - 1))
            && at > 1
            && MARKS.indexOf(text.charAt(at - 2)) >= 0)) {
      at--;
    }
    return at;
  }

  /**
   * Letters, digits, spaces and sentence marks: an instruction would not ask for the end of a code
   * block.
   */
  private static boolean isProse(int c) {
    return CodePoints.isLetter(c) || Character.isDigit(c) || " .,;:!?'’-…。！？，।".indexOf(c) >= 0;
  }
}
