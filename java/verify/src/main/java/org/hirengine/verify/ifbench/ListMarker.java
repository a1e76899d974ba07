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

/** {@code SpecialBulletPointsChecker}: a marker occurs twice, anywhere. */
final class ListMarker extends RuleType {

  private static final String MARKER = "sep";
  private static final List<String> SAMPLED = List.of("...", "SEPARATOR", "!?!?", "-", "->", "~");

  ListMarker() {
    super("format:list");
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    String marker = kwargs.text(MARKER);
    return response -> {
      int count = PyText.count(response.text(), marker);
      return Verdict.of(
          count >= 2,
          Wording.brief(marker) + " found " + Wording.count(count, "time") + ", at least 2 asked");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "Answer with a list of items, each marked by \""
        + kwargs.text(MARKER)
        + "\" in place of a bullet point.";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(kwargs(MARKER, SAMPLED.get(random.nextInt(SAMPLED.size()))));
  }

  /** Another marker that occurs. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    return SAMPLED.stream()
        .filter(marker -> PyText.count(response.text(), marker) >= 2)
        .findFirst()
        .map(marker -> kwargs(MARKER, marker));
  }
}
