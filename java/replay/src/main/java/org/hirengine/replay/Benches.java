package org.hirengine.replay;

import java.util.List;
import java.util.Optional;
import org.hirengine.verify.Verifiers;

/** Finds the benchmark of constraint ids, which the published benchmarks do not share. */
final class Benches {

  private Benches() {}

  /**
   * The first benchmark, in the order of {@link Verifiers#benches}, that has all ids; IFTrain's
   * registry includes IFEval's, since its rows mix both.
   */
  static Optional<String> ofAll(List<String> ids) {
    Verifiers verifiers = Verifiers.standard();
    return verifiers.benches().stream()
        .filter(bench -> ids.stream().allMatch(id -> verifiers.type(bench, id).isPresent()))
        .findFirst();
  }

  /** The first benchmark that has the id. */
  static Optional<String> of(String id) {
    return ofAll(List.of(id));
  }
}
