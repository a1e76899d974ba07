package org.hirengine.verify.ifbench;

import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.verify.rule.BinaryType;

/**
 * A type that is a complete request ("count from 10 to 50...") rather than a constraint on other
 * requests: it is verified but never sampled for new instructions.
 */
abstract class FixedTask extends BinaryType {

  protected FixedTask(String id, String sentence) {
    super(id, sentence);
  }

  @Override
  public final Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.empty();
  }
}
