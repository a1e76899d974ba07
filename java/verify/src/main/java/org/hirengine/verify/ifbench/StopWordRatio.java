package org.hirengine.verify.ifbench;

import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.text.Pieces;
import org.hirengine.verify.Response;
import org.hirengine.verify.TextTools;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.rule.Wording;
import org.hirengine.verify.text.WordSet;

/** {@code StopWordPercentageChecker}: function words, as a share of all words, at most. */
final class StopWordRatio extends RuleType {

  private static final String PERCENTAGE = "percentage";

  private final Revision revision;
  private final WordSet stopWords;

  StopWordRatio(Revision revision, TextTools tools) {
    super("ratio:stop_words");
    this.revision = revision;
    this.stopWords = WordSet.of(tools.stopWords());
  }

  /** In percent; NaN if there are no words. */
  private double percentage(Response response) {
    Pieces found = response.pieces(this, whole -> whole.words().filter(stopWords::contains));
    return (double) found.size() / response.words().size() * 100;
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
          found <= most, Wording.percent(found) + " stop words, at most " + most + "% asked");
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
