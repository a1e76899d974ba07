package org.hirengine.engine.experience;

import java.util.Arrays;
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
    Deal deal =
        new Deal(
            sequences.stream()
                .mapToDouble(s -> (double) s.prompt().length + s.response().length)
                .toArray(),
            group.size());
    List<Sequence> own = Arrays.stream(deal.of(group.rank())).mapToObj(sequences::get).toList();
    byte[] mine =
        RankWire.bytes(own.isEmpty() ? List.of() : make.apply(own), RankWire::writeScores);
    List<RankWire.Parcel> parcels =
        group.gather("log-probs", mine).stream().map(RankWire.Parcel::new).toList();
    return IntStream.range(0, sequences.size())
        .mapToObj(i -> parcels.get(deal.owner(i)).next((in, item) -> RankWire.readScores(in), i))
        .toList();
  }

  /** What tasks are expected to cost, in tokens. */
  private double[] costs(List<Task> tasks) {
    double usual = lengths.values().stream().mapToDouble(d -> d).average().orElse(1);
    return tasks.stream()
        .mapToDouble(task -> lengths.getOrDefault(task.instruction().id(), usual))
        .toArray();
  }

  /**
   * Makes what this rank claims, and exchanges it.
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
    Deal deal = new Deal(costs(tasks), group.size());
    int[] own = deal.of(group.rank());
    String call = what + "/" + calls++ + "/";
    Share share =
        new Share(tasks, deal.order(group.rank()), own.length, task -> group.claim(call + task));
    List<R> made = make.apply(share);
    byte[] mine = RankWire.bytes(share.claimedOfStep(), made, n, writer);
    List<R> all = inOrder(group.gather(what, mine), n, reader);
    for (int task : own) {
      group.forget(call + task);
    }
    return all;
  }

  /** What the ranks have made, in the order of the tasks. */
  private static <R> List<R> inOrder(List<byte[]> ofRanks, int n, RankWire.Reader<R> reader) {
    Map<Integer, List<R>> results = new TreeMap<>();
    for (byte[] theirs : ofRanks) {
      RankWire.Parcel parcel = new RankWire.Parcel(theirs);
      while (parcel.hasNext()) {
        int task = parcel.nextItem();
        results.put(task, parcel.next(reader, task, n));
      }
    }
    return results.values().stream().flatMap(List::stream).toList();
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
}
