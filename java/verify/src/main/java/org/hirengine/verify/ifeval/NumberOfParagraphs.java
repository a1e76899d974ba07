package org.hirengine.verify.ifeval;

import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.Paragraphs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.rule.Wording;

/** {@code ParagraphChecker}: exactly n paragraphs between markdown dividers. */
final class NumberOfParagraphs extends RuleType {

  private static final String NUMBER = "num_paragraphs";
  private static final String DIVIDER = "***";

  NumberOfParagraphs() {
    super("length_constraints:number_paragraphs");
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    int asked = kwargs.integer(NUMBER, 0);
    return response -> {
      int count = Paragraphs.count(response.text(), DIVIDER);
      return Verdict.of(count == asked && count >= 0, Paragraphs.reason(count, asked));
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    int asked = kwargs.integer(NUMBER, 0);
    return "Write exactly "
        + Wording.count(asked, "paragraph")
        + " separated by the markdown divider ***.";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(kwargs(NUMBER, 2 + random.nextInt(4)));
  }

  /** One paragraph has no divider, and nobody asks how it is separated. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    int count = Paragraphs.count(response.text(), DIVIDER);
    return count < 2 ? Optional.empty() : Optional.of(kwargs(NUMBER, count));
  }
}
