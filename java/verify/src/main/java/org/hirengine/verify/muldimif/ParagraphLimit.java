package org.hirengine.verify.muldimif;

import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;
import org.hirengine.verify.Verifier;

/**
 * {@code Length_Paragraphs}: the number of non-blank parts between empty lines. If no limit is
 * known, the reference's verdict is "violated".
 */
final class ParagraphLimit {

  /** {@code patterns}. */
  private static final LimitRules RULES =
      new LimitRules(
              NumberWords.TO_TEN,
              "(\\d+|" + NumberWords.TO_TEN.alternatives() + ")",
              PyPattern.IGNORECASE)
          .exactly("exactly N paragraph", "(?:should|must) contain N paragraph")
          .one(" be a single paragraph")
          .atLeast(
              "at least N paragraph",
              "least: N paragraph",
              "a minimum of N(?: distinct)? paragraph")
          .atMost("at most N paragraph", "not exceeding N paragraph", "no more than N paragraph");

  private static final LimitRules CHINESE =
      new LimitRules(NumberWords.CHINESE, "(\\d+|" + NumberWords.CHINESE.alternatives() + ")", 0)
          .atMost("\u6700\u591A(?:\u5206\u4E3A)?N\u4E2A\u6BB5\u843D");

  private static final LimitRules RANGES =
      new LimitRules(NumberWords.TO_TEN, "", PyPattern.IGNORECASE)
          .range(
              "range D-D paragraph",
              "range: D-D",
              "between D and D paragraph",
              "between D to D paragraph",
              "D to D paragraph");

  private ParagraphLimit() {}

  static Verifier of(Demand demand) {
    Bounds bounds = RULES.in(demand.lower());
    if (bounds == null) {
      bounds = CHINESE.in(demand.lower());
    }
    if (bounds == null) {
      bounds = RANGES.in(demand.lower());
    }
    if (bounds == null) {
      return NotUnderstood.violated("no limit of paragraphs");
    }
    Bounds limit = bounds;
    return response -> {
      long count =
          PyText.split(response.text(), "\n\n").stream()
              .filter(part -> !PyText.isBlank(part))
              .count();
      return limit.verdict(count, "paragraph");
    };
  }
}
