package org.hirengine.verify.ifeval;

import java.util.random.RandomGenerator;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.rule.NumberType;
import org.hirengine.verify.rule.Wording;

/** {@code PlaceholderChecker}: at least n stretches in square brackets within a line. */
final class NumberOfPlaceholders extends NumberType {

  NumberOfPlaceholders() {
    super(
        "detectable_content:number_placeholders",
        "num_placeholders",
        "placeholder",
        NumberType.Match.AT_LEAST);
  }

  @Override
  protected int count(Response response) {
    return PyText.countEnclosed(response.text(), "[", "]");
  }

  @Override
  protected String sentence(int asked) {
    return "Include at least "
        + Wording.count(asked, "placeholder")
        + " in square brackets, such as [name].";
  }

  @Override
  protected int sampleCount(RandomGenerator random) {
    return 1 + random.nextInt(5);
  }
}
