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
import org.hirengine.verify.rule.WordPool;
import org.hirengine.verify.rule.Wording;
import org.jspecify.annotations.Nullable;

/**
 * {@code ParagraphFirstWordCheck}: n paragraphs separated by blank lines, the given one of which
 * begins with a word.
 */
final class FirstWordOfParagraph extends RuleType {

  private static final String NUMBER = "num_paragraphs";
  private static final String NTH = "nth_paragraph";
  private static final String WORD = "first_word";

  FirstWordOfParagraph() {
    super("length_constraints:nth_paragraph_first_word");
  }

  private static List<String> parts(Response response) {
    return PyText.split(response.text(), "\n\n");
  }

  /** Blank parts do not count but keep their position. */
  private static int count(List<String> parts) {
    return (int) parts.stream().filter(part -> !PyText.isBlank(part)).count();
  }

  /** The word up to its first mark, in lower case; null if there is no such paragraph. */
  private static @Nullable String firstWord(List<String> parts, int nth) {
    if (nth < 1 || nth > count(parts) || PyText.isBlank(parts.get(nth - 1))) {
      return null;
    }
    String word = PyText.split(parts.get(nth - 1)).get(0);
    word = PyText.stripLeading(PyText.stripLeading(word, "'"), "\"");
    int end = 0;
    while (end < word.length() && ".,?!'\"".indexOf(word.charAt(end)) < 0) {
      end++;
    }
    // The reference lowers letter by letter, so a final sigma stays medial.
    StringBuilder lower = new StringBuilder();
    word.substring(0, end)
        .codePoints()
        .forEach(c -> lower.append(PyText.lower(Character.toString(c))));
    return lower.toString();
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    int number = kwargs.integer(NUMBER, 1);
    int nth = kwargs.integer(NTH, 1, number);
    String asked = PyText.lower(kwargs.text(WORD));
    return response -> {
      List<String> parts = parts(response);
      int count = count(parts);
      String word = firstWord(parts, nth);
      return Verdict.of(
          count == number && asked.equals(word),
          Wording.count(count, "paragraph")
              + ", exactly "
              + number
              + " asked; "
              + (word == null
                  ? "there is no paragraph " + nth
                  : "paragraph " + nth + " begins with " + Wording.brief(word))
              + ", "
              + Wording.brief(asked)
              + " asked");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    int number = kwargs.integer(NUMBER, 0);
    String begin = " with the word \"" + kwargs.text(WORD) + "\".";
    return number == 1
        ? "Write exactly 1 paragraph, without blank lines, and begin it" + begin
        : "Write exactly "
            + number
            + " paragraphs separated by blank lines, and begin paragraph "
            + kwargs.integer(NTH, 1)
            + begin;
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    int number = 2 + random.nextInt(4);
    return Optional.of(
        kwargs(
            NUMBER,
            number,
            NTH,
            1 + random.nextInt(number),
            WORD,
            WordPool.sample(random, 1).get(0)));
  }

  @Override
  protected List<String> quoted(Kwargs kwargs) {
    return List.of(kwargs.text(WORD));
  }

  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    List<String> parts = parts(response);
    int count = count(parts);
    int asked = kwargs.integer(NTH, 1);
    for (int tries = 0; tries < count; tries++) {
      int nth = 1 + Math.floorMod(asked - 1 + tries, count);
      String word = firstWord(parts, nth);
      if (word != null && isWord(word)) {
        return Optional.of(kwargs(NUMBER, count, NTH, nth, WORD, word));
      }
    }
    return Optional.empty();
  }

  /** An instruction would not ask for a paragraph that begins with "```". */
  private static boolean isWord(String word) {
    return !word.isEmpty() && word.codePoints().allMatch(c -> CodePoints.isLetter(c) || c == '-');
  }
}
