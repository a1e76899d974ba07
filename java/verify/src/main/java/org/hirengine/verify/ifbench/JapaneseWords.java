package org.hirengine.verify.ifbench;

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
import org.hirengine.verify.rule.Wording;

/**
 * {@code NthWordJapaneseChecker}: every n-th word holds a kana or a Chinese character; numbers and
 * punctuation are skipped.
 */
final class JapaneseWords extends RuleType {

  private static final String CYCLE = "N";

  JapaneseWords() {
    super("count:words_japanese");
  }

  private static boolean japanese(int c) {
    return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x4E00 && c <= 0x9FFF);
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    int cycle = kwargs.integer(CYCLE, 1);
    return response -> {
      List<String> words = response.tokens();
      for (int i = cycle - 1; i < words.size(); i += cycle) {
        String word = PyText.strip(words.get(i), Words.MARKS);
        if (!word.isEmpty()
            && !PyText.isDigit(word)
            && word.codePoints().noneMatch(JapaneseWords::japanese)) {
          return Verdict.violated(
              "word " + (i + 1) + ", " + Wording.brief(word) + ", is not Japanese");
        }
      }
      return Verdict.satisfied("every word at a multiple of " + cycle + " is Japanese");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    int cycle = kwargs.integer(CYCLE, 1);
    return "Write one word in Japanese after every "
        + Wording.count(cycle - 1, "other word")
        + ", so that each word whose number is a multiple of "
        + cycle
        + " is Japanese.";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(kwargs(CYCLE, 2 + random.nextInt(29)));
  }

  /** The shortest cycle that the text keeps; one longer than the text would be trivial. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    for (int cycle = 2; cycle <= Math.min(30, response.tokens().size()); cycle++) {
      Map<String, Object> candidate = kwargs(CYCLE, cycle);
      if (parse(candidate).check(response).satisfied()
          && response.tokens().get(cycle - 1).codePoints().anyMatch(JapaneseWords::japanese)) {
        return Optional.of(candidate);
      }
    }
    return Optional.empty();
  }
}
