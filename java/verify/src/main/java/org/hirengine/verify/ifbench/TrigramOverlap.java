package org.hirengine.verify.ifbench;

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
import org.hirengine.verify.text.Trigrams;

/**
 * {@code NGramOverlapChecker}: the share of the response's distinct character trigrams that also
 * occur in a reference text, within two percentage points.
 */
final class TrigramOverlap extends RuleType {

  private static final String REFERENCE = "reference_text";
  private static final String PERCENTAGE = "percentage";

  private final Revision revision;

  TrigramOverlap(Revision revision) {
    super("ratio:overlap");
    this.revision = revision;
  }

  /** In percent; NaN for a response of fewer than three characters. */
  private static double overlap(Response response, Trigrams reference) {
    Trigrams own = response.trigrams();
    return (double) own.shared(reference) / own.size() * 100;
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    Trigrams reference = Trigrams.of(CodePoints.of(kwargs.text(REFERENCE)));
    int asked = kwargs.integer(PERCENTAGE, 0, 100);
    return response -> {
      if (response.trigrams().size() == 0) {
        return revision.raised("fewer than three characters");
      }
      double found = overlap(response, reference);
      return Verdict.of(
          asked - 2 <= found && found <= asked + 2,
          Wording.percent(found)
              + " of the character trigrams are shared, "
              + (asked - 2)
              + "% to "
              + (asked + 2)
              + "% asked");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "Let "
        + kwargs.integer(PERCENTAGE, 0)
        + "% (2 points more or less) of your different runs of three characters occur in this text"
        + " too: "
        + kwargs.text(REFERENCE)
        + ".";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return PyText.length(question) < 3
        ? Optional.empty()
        : Optional.of(kwargs(REFERENCE, question, PERCENTAGE, 5 * (1 + random.nextInt(12))));
  }

  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    if (response.trigrams().size() == 0) {
      return Optional.empty();
    }
    String reference = kwargs.text(REFERENCE);
    int found = (int) Math.round(overlap(response, Trigrams.of(CodePoints.of(reference))));
    return Optional.of(kwargs(REFERENCE, reference, PERCENTAGE, found));
  }
}
