package org.hirengine.verify.ifbench;

import java.util.HashSet;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.rule.NumberType;
import org.hirengine.verify.rule.Wording;

/**
 * {@code ConjunctionCountChecker}: coordinating conjunctions as they are written; {@code and} and
 * {@code And} are two.
 */
final class Conjunctions extends NumberType {

  private static final Set<String> COORDINATING =
      Set.of("and", "but", "for", "nor", "or", "so", "yet");

  Conjunctions() {
    super("count:conjunctions", "small_n", "different conjunction", Match.AT_LEAST);
  }

  @Override
  protected int count(Response response) {
    Set<String> found = new HashSet<>();
    for (String token : response.tokens()) {
      if (COORDINATING.contains(PyText.lower(PyText.strip(token, Words.MARKS)))) {
        found.add(token);
      }
    }
    return found.size();
  }

  @Override
  protected String sentence(int asked) {
    return "Use at least "
        + asked
        + " different coordinating "
        + Wording.plural(asked, "conjunction")
        + ".";
  }

  @Override
  protected int sampleCount(RandomGenerator random) {
    return 2 + random.nextInt(5);
  }
}
