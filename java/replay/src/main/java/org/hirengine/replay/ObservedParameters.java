package org.hirengine.replay;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.ConstraintType;

/**
 * Parameters as in a training set: those of one of its constraints of the type, chosen uniformly.
 * Types that do not occur in the set have none, so rewriting introduces no new kind of constraint,
 * and no word or number that does not occur in training.
 *
 * <p>A parameter that is the question itself (to repeat it) becomes the current question.
 */
public final class ObservedParameters implements AchievedRewriter.Parameters {

  private record Seen(Map<String, Object> kwargs, String question) {}

  private final Map<String, List<Seen>> seen = new HashMap<>();

  /** Collects the parameters of these instructions' constraints. */
  public ObservedParameters(Iterable<Instruction> instructions) {
    for (Instruction x : instructions) {
      for (ConstraintSpec spec : x.constraints()) {
        seen.computeIfAbsent(spec.id(), id -> new ArrayList<>())
            .add(new Seen(spec.kwargs(), x.question()));
      }
    }
  }

  @Override
  public Optional<Map<String, Object>> sample(
      ConstraintType type, Instruction instruction, RandomGenerator random) {
    List<Seen> all = seen.get(type.id());
    if (all == null) {
      return Optional.empty();
    }
    Seen one = all.get(random.nextInt(all.size()));
    Map<String, Object> kwargs = new HashMap<>(one.kwargs());
    kwargs.replaceAll(
        (name, value) -> value.equals(one.question()) ? instruction.question() : value);
    return Optional.of(kwargs);
  }
}
