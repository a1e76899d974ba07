package org.hirengine.verify.rule;

import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;

/** The request itself, in some form. It is given with the instruction, never chosen. */
public abstract class RequestType extends RuleType {

  private static final String PROMPT = "prompt_to_repeat";

  protected RequestType(String id) {
    super(id);
  }

  /** The request that the kwargs hold. */
  protected static String request(Kwargs kwargs) {
    return kwargs.text(PROMPT);
  }

  @Override
  public final Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return PyText.isBlank(question) ? Optional.empty() : Optional.of(kwargs(PROMPT, question));
  }

  @Override
  protected final Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    return Optional.empty();
  }
}
