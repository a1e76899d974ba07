package org.hirengine.verify.ifeval;

import java.util.random.RandomGenerator;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.TextTools;
import org.hirengine.verify.rule.CountType;
import org.hirengine.verify.rule.Wording;

/** {@code CapitalWordFrequencyChecker}: tokens in all capitals, counted. */
final class CapitalWordFrequency extends CountType {

  private final TextTools tools;

  CapitalWordFrequency(TextTools tools) {
    super(
        "change_case:capital_word_frequency",
        "capital_frequency",
        "capital_relation",
        "all-capitals word");
    this.tools = tools;
  }

  @Override
  protected long count(Response response) {
    return tools.wordTokens(response).stream().filter(PyText::isUpper).count();
  }

  @Override
  protected String sentence(String amount, long asked) {
    return "Write " + amount + " " + Wording.plural(asked, "word") + " in all capital letters.";
  }

  @Override
  protected int sampleCount(RandomGenerator random) {
    return 2 + random.nextInt(14);
  }
}
