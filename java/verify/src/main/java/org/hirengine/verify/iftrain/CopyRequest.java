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

/** {@code CopyChecker} and {@code CopyingSimpleChecker}: the request itself, in any case. */
final class CopyRequest extends RuleType {

  private static final String PROMPT = "prompt_to_repeat";

  CopyRequest(String id) {
    super(id);
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    String prompt = PyText.lower(PyText.strip(kwargs.text(PROMPT)));
    return response -> {
      boolean equal = PyText.lower(response.stripped()).equals(prompt);
      return Verdict.of(equal, equal ? "the request, copied" : "not a copy of the request");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "Do not answer; only copy this request word for word: " + kwargs.text(PROMPT) + ".";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return PyText.isBlank(question) ? Optional.empty() : Optional.of(kwargs(PROMPT, question));
  }

  /** A request is given, not chosen. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    return Optional.empty();
  }
}
