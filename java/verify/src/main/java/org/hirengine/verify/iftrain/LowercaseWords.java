package org.hirengine.verify.iftrain;

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

/** {@code LowercaseCountingChecker}: at most n words of a to z only ({@code \b[a-z]+\b}). */
final class LowercaseWords extends RuleType {

  private static final String MOST = "N";

  LowercaseWords() {
    super("count:lowercase_counting");
  }

  private static long count(Response response) {
    return response.analysis("re words", PyText::words).stream()
        .filter(word -> word.chars().allMatch(c -> c >= 'a' && c <= 'z'))
        .count();
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    int most = kwargs.integer(MOST, 0);
    return response -> {
      long count = count(response);
      return Verdict.of(
          count <= most, Wording.count(count, "lower-case word") + ", at most " + most + " asked");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    int most = kwargs.integer(MOST, 0);
    return "Use at most " + Wording.count(most, "word") + " written in lowercase letters only.";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(kwargs(MOST, 2 + random.nextInt(9)));
  }

  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    return Optional.of(kwargs(MOST, (int) count(response) + random.nextInt(5)));
  }
}
