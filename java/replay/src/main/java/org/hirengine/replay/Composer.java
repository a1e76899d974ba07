package org.hirengine.replay;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.Verifiers;

/**
 * Makes training instructions from plain requests: draws constraint types that do not clash, with
 * their own parameters and sentences.
 */
public final class Composer {

  private final String bench;
  private final List<ConstraintType> types;
  private final int least;
  private final int most;

  /**
   * @param bench whose types are drawn
   * @param least the fewest constraints of an instruction, at least 1
   * @param most the most constraints of an instruction
   * @throws IllegalArgumentException if the benchmark has no types or the range is empty
   */
  public Composer(Verifiers verifiers, String bench, int least, int most) {
    if (least < 1 || most < least) {
      throw new IllegalArgumentException(
          "constraints from " + least + " to " + most + ": give a range that starts at 1 or more");
    }
    this.bench = bench;
    this.types = List.copyOf(verifiers.types(bench));
    if (types.isEmpty()) {
      throw new IllegalArgumentException(
          "unknown benchmark '" + bench + "', known are " + verifiers.benches());
    }
    this.least = least;
    this.most = most;
  }

  /**
   * The request under new constraints; everything else is kept.
   *
   * @return empty if fewer compatible types than the minimum were found for this request; another
   *     draw may succeed
   */
  public Optional<Instruction> compose(String id, Instruction seed, RandomGenerator random) {
    int wanted = random.nextInt(least, most + 1);
    List<ConstraintType> pool = new ArrayList<>(types);
    Set<String> chosen = new HashSet<>();
    Set<String> clashing = new HashSet<>();
    List<String> criteria = new ArrayList<>();
    List<ConstraintSpec> constraints = new ArrayList<>();
    while (constraints.size() < wanted && !pool.isEmpty()) {
      ConstraintType type = pool.remove(random.nextInt(pool.size()));
      if (clashing.contains(type.id()) || type.clashes().stream().anyMatch(chosen::contains)) {
        continue;
      }
      Optional<Map<String, Object>> kwargs = type.sample(random, seed.question());
      if (kwargs.isPresent()) {
        chosen.add(type.id());
        clashing.addAll(type.clashes());
        criteria.add(type.sentence(kwargs.get()));
        constraints.add(new ConstraintSpec(bench, type.id(), kwargs.get()));
      }
    }
    QType qType = QType.values()[random.nextInt(QType.values().length)];
    return constraints.size() < least
        ? Optional.empty()
        : Optional.of(
            new Instruction(
                id,
                seed.question(),
                criteria,
                qType,
                bench,
                constraints,
                seed.system(),
                seed.history(),
                seed.templateOptions(),
                seed.extra()));
  }
}
