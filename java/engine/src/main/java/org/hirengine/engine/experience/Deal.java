package org.hirengine.engine.experience;

import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Which rank handles which item of a list: the longest first, to the rank with the least so far.
 */
final class Deal {

  private final double[] costs;
  private final int[] owners;

  /** The same on every rank, if the costs are. */
  Deal(double[] costs, int ranks) {
    this.costs = costs;
    owners = new int[costs.length];
    double[] loads = new double[ranks];
    Comparator<Integer> longestFirst = Comparator.comparingDouble(item -> -costs[item]);
    for (int item : items().boxed().sorted(longestFirst).toList()) {
      int least = 0;
      for (int rank = 1; rank < ranks; rank++) {
        if (loads[rank] < loads[least]) {
          least = rank;
        }
      }
      owners[item] = least;
      loads[least] += costs[item];
    }
  }

  private IntStream items() {
    return IntStream.range(0, owners.length);
  }

  int owner(int item) {
    return owners[item];
  }

  /** The items of a rank, ascending. */
  int[] of(int rank) {
    return items().filter(item -> owners[item] == rank).toArray();
  }

  /**
   * All items, as a rank takes them: its own, longest first, and then those of the others, which
   * begin with their longest, from the shortest on.
   */
  int[] order(int rank) {
    Comparator<Integer> ownFirst = Comparator.comparing(item -> owners[item] != rank);
    return items()
        .boxed()
        .sorted(
            ownFirst.thenComparingDouble(item -> owners[item] == rank ? -costs[item] : costs[item]))
        .mapToInt(item -> item)
        .toArray();
  }
}
