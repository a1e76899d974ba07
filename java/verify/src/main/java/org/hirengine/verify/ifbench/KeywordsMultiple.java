package org.hirengine.verify.ifbench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.rule.WordPool;
import org.hirengine.verify.rule.Wording;

/**
 * {@code KeywordsMultipleChecker}: five keywords, in any case and also within words, occur once,
 * twice, three, five and seven times.
 */
final class KeywordsMultiple extends RuleType {

  private static final int[] TIMES = {1, 2, 3, 5, 7};

  KeywordsMultiple() {
    super("count:keywords_multiple");
  }

  private static String name(int index) {
    return "keyword" + (index + 1);
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    List<String> keywords =
        IntStream.range(0, TIMES.length)
            .mapToObj(i -> PyText.lower(PyText.strip(kwargs.text(name(i)))))
            .toList();
    return response -> {
      for (int i = 0; i < TIMES.length; i++) {
        int count = PyText.count(response.lower(), keywords.get(i));
        if (count != TIMES[i]) {
          return Verdict.violated(
              "keyword "
                  + Wording.brief(keywords.get(i))
                  + " found "
                  + Wording.count(count, "time")
                  + ", exactly "
                  + TIMES[i]
                  + " asked");
        }
      }
      return Verdict.satisfied("every keyword found as often as asked");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    List<String> parts =
        IntStream.range(0, TIMES.length)
            .mapToObj(
                i -> "the word \"" + kwargs.text(name(i)) + "\" " + Wording.count(TIMES[i], "time"))
            .toList();
    return "Use exactly as often as said: " + String.join(", ", parts) + ".";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(named(WordPool.sample(random, TIMES.length)));
  }

  private static Map<String, Object> named(List<String> keywords) {
    Map<String, Object> kwargs = new LinkedHashMap<>();
    for (int i = 0; i < TIMES.length; i++) {
      kwargs.put(name(i), keywords.get(i));
    }
    return kwargs;
  }

  /** Words that occur as often as asked, if there is one for each number. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    List<String> found = new ArrayList<>();
    List<String> candidates = WordPool.keywords(response);
    for (int times : TIMES) {
      candidates.stream()
          .filter(word -> PyText.count(response.lower(), word) == times)
          .findFirst()
          .ifPresent(found::add);
    }
    return found.size() == TIMES.length ? Optional.of(named(found)) : Optional.empty();
  }
}
