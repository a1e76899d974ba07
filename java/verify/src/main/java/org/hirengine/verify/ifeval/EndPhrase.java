package org.hirengine.verify.ifeval;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.rule.Wording;

/** {@code EndChecker}: the text, stripped of quotes around it, ends with a phrase in any case. */
final class EndPhrase extends RuleType {

  private static final String PHRASE = "end_phrase";

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

  private static final List<String> PHRASES =
      List.of(
          "That is all.",
          "What do you think?",
          "I hope this helps.",
          "Thank you for reading.",
          "More on this another day.",
          "Is there anything else you would like to know?");

  /**
   * As many of the response's last words as the phrase has, fewer where a line break or more than
   * one space stands between them.
   */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    String text = PyText.strip(response.stripped(), "\"");
    List<String> words = PyText.split(text);
    int wanted = Math.max(1, PyText.split(kwargs.text(PHRASE)).size());
    for (int count = Math.min(wanted, words.size()); count > 0; count--) {
      String phrase = String.join(" ", words.subList(words.size() - count, words.size()));
      if (text.endsWith(phrase) && phrase.codePoints().allMatch(EndPhrase::isProse)) {
        return Optional.of(kwargs(PHRASE, phrase));
      }
    }
    return Optional.empty();
  }

  /**
   * Letters, digits, spaces and the marks of a sentence: nobody asks for the end of a code block.
   */
  private static boolean isProse(int c) {
    return CodePoints.isLetter(c) || Character.isDigit(c) || " .,;:!?'’-…。！？，।".indexOf(c) >= 0;
  }
}
