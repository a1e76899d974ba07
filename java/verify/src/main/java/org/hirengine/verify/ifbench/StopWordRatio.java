package org.hirengine.verify.ifbench;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.text.Pieces;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.TextTools;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;

/** {@code StopWordPercentageChecker}: function words, as a share of all words, at most. */
final class StopWordRatio extends RuleType {

  private static final String PERCENTAGE = "percentage";

  private final Revision revision;
  private final TextTools tools;

  StopWordRatio(Revision revision, TextTools tools) {
    super("ratio:stop_words");
    this.revision = revision;
    this.tools = tools;
  }

  /** In percent; not a number where there are no words. */
  private double percentage(Response response) {
    Pieces stopWords =
        response.pieces(
            this,
            text ->
                PyText.regexWords(text)
                    .filter(word -> tools.stopWords().contains(PyText.lower(word))));
    return (double) stopWords.size() / response.words().size() * 100;
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    int most = kwargs.integer(PERCENTAGE, 0, 100);
    return response -> {
      if (response.words().isEmpty()) {
        return revision.raised("there are no words");
      }
      double found = percentage(response);
      return Verdict.of(
          found <= most,
          String.format(Locale.ROOT, "%.1f%% stop words, at most %d%% asked", found, most));
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "Let stop words, such as \"the\" and \"of\", be at most "
        + kwargs.integer(PERCENTAGE, 0)
        + "% of all your words.";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(kwargs(PERCENTAGE, 5 * (4 + random.nextInt(9))));
  }

  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    if (response.words().isEmpty()) {
      return Optional.empty();
    }
    int achieved = (int) Math.ceil(percentage(response)) + random.nextInt(5);
    return Optional.of(kwargs(PERCENTAGE, Math.min(100, achieved)));
  }
}
