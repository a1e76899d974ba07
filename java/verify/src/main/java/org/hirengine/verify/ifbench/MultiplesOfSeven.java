package org.hirengine.verify.ifbench;

import java.util.List;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.Wording;

/** {@code PrintMultiplesChecker}: the only numbers are 14, 21, 28, 35, 42 and 49, in order. */
final class MultiplesOfSeven extends FixedTask {

  private static final List<String> MULTIPLES = List.of("14", "21", "28", "35", "42", "49");

  MultiplesOfSeven() {
    super("custom:multiples", "Count from 10 to 50, but write only the multiples of 7.");
  }

  @Override
  protected Verdict check(Response response) {
    List<String> numbers = PyText.numbers(response.text());
    return Verdict.of(
        numbers.equals(MULTIPLES),
        "numbers "
            + Wording.brief(String.join(" ", numbers.subList(0, Math.min(20, numbers.size()))))
            + ", exactly 14 21 28 35 42 49 asked");
  }
}
