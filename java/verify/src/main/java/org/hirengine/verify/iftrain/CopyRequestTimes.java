package org.hirengine.verify.iftrain;

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

/** {@code CopyingMultipleChecker}: the request n times, separated by six asterisks. */
final class CopyRequestTimes extends RuleType {

  private static final String PROMPT = "prompt_to_repeat";
  private static final String TIMES = "N";

  CopyRequestTimes() {
    super("copy:copying_multiple");
  }

  /** How many copies there are; -1 if a part is not a copy. */
  private static int copies(Response response, String prompt) {
    List<String> parts = PyText.split(response.text(), "******");
    String wanted = PyText.lower(PyText.strip(prompt));
    boolean all = parts.stream().allMatch(p -> PyText.lower(PyText.strip(p)).equals(wanted));
    return all ? parts.size() : -1;
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    String prompt = kwargs.text(PROMPT);
    int asked = kwargs.integer(TIMES, 1);
    return response -> {
      int copies = copies(response, prompt);
      return Verdict.of(
          copies == asked && copies > 0,
          copies < 0
              ? "a part is not a copy of the request"
              : Wording.count(copies, "copy", "copies") + ", exactly " + asked + " asked");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "Do not answer; copy this request word for word exactly "
        + Wording.count(kwargs.integer(TIMES, 1), "time")
        + ", the copies separated by ******: "
        + kwargs.text(PROMPT)
        + ".";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return PyText.isBlank(question)
        ? Optional.empty()
        : Optional.of(kwargs(PROMPT, question, TIMES, 2 + random.nextInt(3)));
  }

  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    int copies = copies(response, kwargs.text(PROMPT));
    return copies < 1
        ? Optional.empty()
        : Optional.of(kwargs(PROMPT, kwargs.text(PROMPT), TIMES, copies));
  }
}
