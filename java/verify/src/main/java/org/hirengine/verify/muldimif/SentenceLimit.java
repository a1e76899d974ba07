package org.hirengine.verify.muldimif;

import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verifier;

/**
 * {@code Length_Sentences}: the number of stretches that end in a full stop, a question mark or an
 * exclamation mark ({@code [^.!?]*[.!?]}, so each mark ends one; full-width marks end none). If no
 * limit is known, the reference's verdict is "satisfied".
 */
final class SentenceLimit {

  /** Chinese for "sentence", with or without a measure word. */
  private static final String CHINESE_UNIT = "(?:\u4E2A\u53E5\u5B50|\u500B\u53E5\u5B50|\u53E5)";

  /** {@code patterns}. */
  private static final LimitRules RULES =
      new LimitRules(
              NumberWords.OF_SENTENCES, "(\\d+|" + NumberWords.OF_SENTENCES.alternatives() + ")", 0)
          .exactly("exactly:? N (?:topic )?sentence", "(?:should|must) contain N sentence")
          .one(
              " be a single sentence",
              "consisting of (?:only )?one sentence",
              "in a single sentence")
          .atLeast(
              "at least:? N sentence",
              "a minimum of N sentence",
              "no fewer than N sentence",
              "(?:\u81F3\u5C11|\u6700\u5C11)(?:\u5305\u542B)?N" + CHINESE_UNIT)
          .atMost(
              "contain at most N sentence",
              "at most:? N sentence",
              "not exceeding N sentence",
              "no (?:more|longer) than N sentence",
              "limited to N sentence",
              " not exceed N sentence",
              "a maximum (?:length )?of N sentence",
              "not to exceed N sentence",
              "not surpass(?: a total of)? N sentence",
              "(?:\u81F3\u591A|\u6700\u591A)(?:\u5305\u542B)?N" + CHINESE_UNIT)
          .range(
              "range:? N-N sentence",
              "between N and N sentence",
              "between N to N sentence",
              "into N to N sentence",
              "a range of N to N sentence",
              "be composed of N to N sentence",
              "consists? of N to N sentence",
              "consisting of N to N sentence",
              "N\u5230N" + CHINESE_UNIT);

  private SentenceLimit() {}

  static Verifier of(Demand demand) {
    Bounds bounds = RULES.in(PyText.strip(demand.lower()));
    return bounds == null
        ? NotUnderstood.satisfied("no limit of sentences")
        : response -> bounds.verdict(count(response), "sentence");
  }

  private static long count(Response response) {
    return response.text().chars().filter(c -> c == '.' || c == '!' || c == '?').count();
  }
}
