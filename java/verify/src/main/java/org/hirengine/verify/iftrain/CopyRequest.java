package org.hirengine.verify.iftrain;

import org.hirengine.text.PyText;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RequestType;

/** {@code CopyChecker} and {@code CopyingSimpleChecker}: the request itself, in any case. */
final class CopyRequest extends RequestType {

  CopyRequest(String id) {
    super(id);
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    String prompt = PyText.lower(PyText.strip(request(kwargs)));
    return response -> {
      boolean equal = PyText.lower(response.stripped()).equals(prompt);
      return Verdict.of(equal, equal ? "the request, copied" : "not a copy of the request");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "Do not answer; only copy this request word for word: " + request(kwargs) + ".";
  }
}
