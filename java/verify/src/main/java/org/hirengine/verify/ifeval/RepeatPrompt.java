package org.hirengine.verify.ifeval;

import org.hirengine.text.PyText;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RequestType;

/** {@code RepeatPromptThenAnswer}: the text begins with the request, in any case. */
final class RepeatPrompt extends RequestType {

  RepeatPrompt() {
    super("combination:repeat_prompt");
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    String prompt = PyText.lower(PyText.strip(request(kwargs)));
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
        + request(kwargs)
        + ").";
  }
}
