package org.hirengine.verify.ifeval;

import java.util.ArrayList;
import java.util.List;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/** {@code TwoResponsesChecker}: two different answers separated by six asterisks. */
final class TwoResponses extends BinaryType {

  private static final String DIVIDER = "******";

  TwoResponses() {
    super(
        "combination:two_responses",
        "Give two different responses, separated by six asterisks: ******.");
  }

  @Override
  protected Verdict check(Response response) {
    List<String> parts = PyText.split(response.text(), DIVIDER);
    int last = parts.size() - 1;
    List<String> answers = new ArrayList<>();
    for (int i = 0; i <= last; i++) {
      String answer = PyText.strip(parts.get(i));
      if (!answer.isEmpty()) {
        answers.add(answer);
      } else if (i != 0 && i != last) {
        return Verdict.violated("a response between two dividers is empty");
      }
    }
    if (answers.size() != 2) {
      return Verdict.violated(Wording.count(answers.size(), "response") + ", 2 asked");
    }
    boolean differ = !answers.get(0).equals(answers.get(1));
    return Verdict.of(differ, differ ? "two different responses" : "the two responses are equal");
  }
}
