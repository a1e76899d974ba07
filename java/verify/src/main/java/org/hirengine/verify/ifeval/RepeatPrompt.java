package org.hirengine.verify.ifeval;

import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;

/** {@code RepeatPromptThenAnswer}: the text begins with the request, in any case. */
final class RepeatPrompt extends RuleType {

  private static final String PROMPT = "prompt_to_repeat";

  RepeatPrompt() {
    super("combination:repeat_prompt");
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    String prompt = PyText.lower(PyText.strip(kwargs.text(PROMPT)));
    return response -> {
      boolean starts = PyText.lower(response.stripped()).startsWith(prompt);
      return Verdict.of(
          starts, (starts ? "begins" : "does not begin") + " with the request word for word");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "First repeat the request word for word without change, then answer it (the request to"
        + " repeat is: "
        + kwargs.text(PROMPT)
        + ").";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return PyText.isBlank(question) ? Optional.empty() : Optional.of(kwargs(PROMPT, question));
  }

  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    return Optional.empty();
  }
}
