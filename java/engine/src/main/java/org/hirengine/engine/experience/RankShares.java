package org.hirengine.engine.experience;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.hirengine.engine.distributed.ProcessGroup;
import org.hirengine.engine.experience.Sampler.Scored;
import org.hirengine.engine.model.ResponseBatch.Sequence;

/**
 * Divides a step's work among the ranks and gathers the results, so that every rank continues with
 * all of them, in the same order. Which rank handles a prompt affects only time: random streams are
 * keyed by the prompt.
 */
public final class RankShares {

  private final ProcessGroup group;

  /** Mean tokens of the responses so far, by instruction; equal on all ranks. */
  private final Map<String, Double> lengths = new HashMap<>();

  public RankShares(ProcessGroup group) {
    this.group = group;
  }

  /** Throws if another rank has failed. */
  void checkOthers() {
    group.checkOthers();
  }

  /** Every task's {@code n} trajectories, made by {@code make} of each rank's tasks. */
  List<Trajectory> trajectories(
      List<Task> tasks, int n, Function<List<Task>, List<Trajectory>> make) {
    if (group.size() == 1) {
      return make.apply(tasks);
    }
    List<Trajectory> all =
        dealt(
            "rollouts",
            tasks,
            dealTasks(tasks),
            n,
            make,
            RankWire::writeTrajectory,
            (in, task) -> RankWire.readTrajectory(in, tasks.get(task), task));
    remember(all);
    return all;
  }

  /** Every task's {@code n} answers. */
  List<Answer> answers(List<Task> tasks, int n, Function<List<Task>, List<Answer>> make) {
    return group.size() == 1
        ? make.apply(tasks)
        : dealt(
            "evaluation",
            tasks,
            dealTasks(tasks),
            n,
            make,
            RankWire::writeAnswer,
            (in, task) -> RankWire.readAnswer(in, tasks.get(task)));
  }

  /** Every sequence's scores. */
  List<Scored> scored(List<Sequence> sequences, Function<List<Sequence>, List<Scored>> make) {
    if (group.size() == 1) {
      return make.apply(sequences);
    }
    int[] owners =
        deal(
            sequences.stream()
                .mapToDouble(s -> (double) s.prompt().length + s.response().length)
                .toArray());
    return dealt(
        "log-probs",
        sequences,
        owners,
        1,
        make,
        RankWire::writeScores,
        (in, sequence) -> RankWire.readScores(in));
  }

  /** Longest first, each to the rank with the least so far. */
  private int[] dealTasks(List<Task> tasks) {
    double usual = lengths.values().stream().mapToDouble(d -> d).average().orElse(1);
    return deal(
        tasks.stream()
            .mapToDouble(task -> lengths.getOrDefault(task.instruction().id(), usual))
            .toArray());
  }

  private int[] deal(double[] costs) {
    Integer[] order =
        IntStream.range(0, costs.length)
            .boxed()
            .sorted(Comparator.<Integer>comparingDouble(i -> -costs[i]))
            .toArray(Integer[]::new);
    int[] owners = new int[costs.length];
    double[] loads = new double[group.size()];
    for (int item : order) {
      int least = 0;
      for (int rank = 1; rank < loads.length; rank++) {
        if (loads[rank] < loads[least]) {
          least = rank;
        }
      }
      owners[item] = least;
      loads[least] += costs[item];
    }
    return owners;
  }

  private void remember(List<Trajectory> trajectories) {
    Map<String, int[]> sums = new HashMap<>(); // tokens, responses
    for (Trajectory t : trajectories) {
      int[] sum = sums.computeIfAbsent(t.task().instruction().id(), id -> new int[2]);
      sum[0] += t.tokens().length;
      sum[1]++;
    }
    sums.forEach((id, sum) -> lengths.put(id, (double) sum[0] / sum[1]));
  }

  /**
   * Computes this rank's part and exchanges it.
   *
   * @param owners the rank of each item
   * @param each results an item has
   */
  private <I, R> List<R> dealt(
      String what,
      List<I> items,
      int[] owners,
      int each,
      Function<List<I>, List<R>> make,
      RankWire.Writer<R> writer,
      RankWire.Reader<R> reader) {
    List<I> share = new ArrayList<>();
    for (int i = 0; i < owners.length; i++) {
      if (owners[i] == group.rank()) {
        share.add(items.get(i));
      }
    }
    byte[] mine = RankWire.bytes(share.isEmpty() ? List.of() : make.apply(share), writer);
    List<RankWire.Parcel> parcels =
        group.gather(what, mine).stream().map(RankWire.Parcel::new).toList();
    List<R> results = new ArrayList<>(items.size() * each);
    for (int i = 0; i < owners.length; i++) {
      for (int row = 0; row < each; row++) {
        results.add(parcels.get(owners[i]).next(reader, i));
      }
    }
    return results;
  }
}
