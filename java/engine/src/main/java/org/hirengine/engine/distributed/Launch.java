package org.hirengine.engine.distributed;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A rank's place in the group, from the environment variables that launchers set.
 *
 * @param localRank number on its machine
 * @param localSize ranks on its machine
 * @param address of the store through which ranks find each other
 * @param agentStore whether the launcher holds the store (torchrun); otherwise rank 0 does
 * @param attempt how often the launcher has restarted the ranks; keeps a new start from reading
 *     what an earlier one left in the launcher's store
 */
public record Launch(
    int rank,
    int size,
    int localRank,
    int localSize,
    String address,
    int port,
    boolean agentStore,
    int attempt) {

  private static final String REMEDY =
      "start with hir train --nproc N, torchrun or another launcher that sets RANK, WORLD_SIZE,"
          + " MASTER_ADDR and MASTER_PORT, or unset them all to train in one process";

  /**
   * Reads torch.distributed's variables; empty if neither RANK nor WORLD_SIZE is set.
   *
   * @throws DistributedException naming what is missing or invalid
   */
  public static Optional<Launch> of(Map<String, String> environment) {
    if (!environment.containsKey("RANK") && !environment.containsKey("WORLD_SIZE")) {
      return Optional.empty();
    }
    int size = number(environment, "WORLD_SIZE", 1, Integer.MAX_VALUE);
    int rank = number(environment, "RANK", 0, size - 1);
    if (size == 1) {
      return Optional.of(new Launch(0, 1, 0, 1, "", 0, false, 0));
    }
    // Launchers for one machine set neither: then all ranks are on it.
    int localSize = number(environment, "LOCAL_WORLD_SIZE", 1, size, size);
    return Optional.of(
        new Launch(
            rank,
            size,
            number(environment, "LOCAL_RANK", 0, localSize - 1, rank % localSize),
            localSize,
            text(environment, "MASTER_ADDR"),
            number(environment, "MASTER_PORT", 1, 65535),
            "True".equalsIgnoreCase(environment.get("TORCHELASTIC_USE_AGENT_STORE")),
            number(environment, "TORCHELASTIC_RESTART_COUNT", 0, Integer.MAX_VALUE, 0)));
  }

  private static int number(Map<String, String> environment, String name, int least, int most) {
    String text = text(environment, name);
    try {
      int value = Integer.parseInt(text.strip());
      if (value >= least && value <= most) {
        return value;
      }
    } catch (NumberFormatException e) {
      // reported below
    }
    throw new DistributedException(
        "the environment's %s is '%s', not a number from %d to %d"
            .formatted(name, text, least, most),
        REMEDY);
  }

  private static int number(
      Map<String, String> environment, String name, int least, int most, int absent) {
    return environment.containsKey(name) ? number(environment, name, least, most) : absent;
  }

  private static String text(Map<String, String> environment, String name) {
    String value = environment.get(name);
    if (value == null || value.isBlank()) {
      throw new DistributedException(
          "the environment has "
              + (environment.containsKey("RANK") ? "RANK" : "WORLD_SIZE")
              + " but no "
              + name,
          REMEDY);
    }
    return value;
  }

  /** Whether rank 0 listens at the store's address. */
  boolean listens() {
    return rank == 0 && !agentStore;
  }

  boolean oneMachine() {
    return localSize == size;
  }

  /** "rank 1 of 4". */
  String name() {
    return name(rank);
  }

  String name(int which) {
    return "rank " + which + " of " + size;
  }

  /** "rank 1 of 4", "ranks 1, 3 of 4". */
  String names(List<Integer> ranks) {
    List<String> numbers = new ArrayList<>();
    ranks.forEach(rank -> numbers.add(Integer.toString(rank)));
    return (ranks.size() == 1 ? "rank " : "ranks ") + String.join(", ", numbers) + " of " + size;
  }
}
