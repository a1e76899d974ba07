package org.hirengine.engine.experience;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
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

  /** Exchanges so far, which claims are named by; equal on all ranks. */
  private long calls;

  public RankShares(ProcessGroup group) {
    this.group = group;
  }

  /** Throws if another rank has failed. */
  void checkOthers() {
    group.checkOthers();
  }

  /** Every task's {@code n} trajectories, made by {@code make} of each rank's tasks. */
  List<Trajectory> trajectories(List<Task> tasks, int n, Function<Share, List<Trajectory>> make) {
    if (group.size() == 1) {
      return make.apply(Share.all(tasks));
    }
    List<Trajectory> all =
        claimed(
            "rollouts",
            tasks,
            n,
            make,
            RankWire::writeTrajectory,
            (in, task) -> RankWire.readTrajectory(in, tasks.get(task), task));
    remember(all);
    return all;
  }

  /** Every task's {@code n} answers. */
  List<Answer> answers(List<Task> tasks, int n, Function<Share, List<Answer>> make) {
    return group.size() == 1
        ? make.apply(Share.all(tasks))
        : claimed(
            "evaluation",
            tasks,
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

  /** What tasks are expected to cost, in tokens. */
  private double[] costs(List<Task> tasks) {
    double usual = lengths.values().stream().mapToDouble(d -> d).average().orElse(1);
    return tasks.stream()
        .mapToDouble(task -> lengths.getOrDefault(task.instruction().id(), usual))
        .toArray();
  }

  /**
   * Makes what this rank claims and exchanges it: its own share, longest first, and then what the
   * others have not begun, from the ends of their shares.
   *
   * @param n results a task has
   */
  private <R> List<R> claimed(
      String what,
      List<Task> tasks,
      int n,
      Function<Share, List<R>> make,
      RankWire.Writer<R> writer,
      RankWire.Reader<R> reader) {
    double[] costs = costs(tasks);
    int[] owners = deal(costs);
    int[] order =
        IntStream.range(0, owners.length)
            .boxed()
            .sorted(
                Comparator.<Integer>comparingInt(i -> owners[i] == group.rank() ? 0 : 1)
                    .thenComparingDouble(i -> owners[i] == group.rank() ? -costs[i] : costs[i]))
            .mapToInt(i -> i)
            .toArray();
    int own = (int) Arrays.stream(owners).filter(owner -> owner == group.rank()).count();
    String call = what + "/" + calls++ + "/";
    Share share =
        new Share(
            Arrays.stream(order).mapToObj(tasks::get).toList(),
            own,
            i -> group.claim(call + order[i]));
    List<R> made = make.apply(share);
    byte[] mine =
        RankWire.bytes(
            IntStream.range(0, share.claimed().size()).boxed().toList(),
            (out, i) -> {
              out.writeInt(order[share.claimed().get(i)]);
              for (R result : made.subList(i * n, (i + 1) * n)) {
                writer.write(out, result);
              }
            });
    Map<Integer, List<R>> results = new TreeMap<>();
    for (byte[] theirs : group.gather(what, mine)) {
      RankWire.Parcel parcel = new RankWire.Parcel(theirs);
      while (parcel.hasNext()) {
        int task = parcel.next((in, none) -> in.readInt(), 0);
        List<R> rows = new ArrayList<>();
        for (int row = 0; row < n; row++) {
          rows.add(parcel.next(reader, task));
        }
        results.put(task, rows);
      }
    }
    for (int i = 0; i < own; i++) {
      group.forget(call + order[i]);
    }
    return results.values().stream().flatMap(List::stream).toList();
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
