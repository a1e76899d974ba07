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

/** {@code CopySpanIdxChecker}: the characters [start:end) of the request, in any case. */
final class CopySpan extends RuleType {

  private static final String PROMPT = "prompt_to_repeat";
  private static final String START = "n_start";
  private static final String END = "n_end";

  CopySpan() {
    super("new:copy_span_idx");
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    int start = kwargs.index(START);
    int end = kwargs.index(END, start);
    String span = PyText.strip(PyText.slice(kwargs.text(PROMPT), start, end));
    return response -> {
      boolean equal = PyText.lower(response.stripped()).equals(PyText.lower(span));
      return Verdict.of(equal, (equal ? "is" : "is not") + " the span " + Wording.brief(span));
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "Write nothing but the characters from index "
        + kwargs.index(START)
        + " up to, and without, index "
        + kwargs.index(END, kwargs.index(START))
        + " (the first has index 0) of this request: "
        + kwargs.text(PROMPT)
        + ".";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    int length = PyText.length(question);
    if (length < 4) {
      return Optional.empty();
    }
    int start = random.nextInt(length - 2);
    return Optional.of(
        kwargs(PROMPT, question, START, start, END, start + 1 + random.nextInt(length - start)));
  }

  /** The span at which the response occurs in the request. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    String prompt = kwargs.text(PROMPT);
    int at = PyText.lower(prompt).indexOf(PyText.lower(response.stripped()));
    if (at < 0 || response.isBlank()) {
      return Optional.empty();
    }
    int start = PyText.length(PyText.lower(prompt).substring(0, at));
    int end = start + PyText.length(PyText.lower(response.stripped()));
    return Optional.of(kwargs(PROMPT, prompt, START, start, END, end));
  }
}
