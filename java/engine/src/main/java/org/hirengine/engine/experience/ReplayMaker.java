package org.hirengine.engine.experience;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.hirengine.engine.config.ReplaySection;
import org.hirengine.engine.config.ReplaySection.Goal;
import org.hirengine.engine.config.ReplaySection.OldLogprobs;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.experience.Randoms.Purpose;
import org.hirengine.engine.model.ResponseBatch.Sequence;
import org.hirengine.replay.ReplaySelector;
import org.hirengine.replay.Rewrite;
import org.hirengine.replay.Rewriter;
import org.hirengine.verify.Response;
import org.jspecify.annotations.Nullable;

/** Chooses failed responses and rewrites their instructions (ALGORITHM 2.4 to 2.6 and 2b). */
public final class ReplayMaker {

  private final TrainConfig config;
  private final Rewriter rewriter;
  private final ReplaySelector selector;
  private final TaskSource tasks;
  private final Verification verification;
  private final Sampler sampler;
  private final Randoms randoms;

  /**
   * @param tasks encodes prompts of rewritten instructions
   * @param sampler scores replays under their rewritten prompts
   */
  public ReplayMaker(
      TrainConfig config,
      Rewriter rewriter,
      TaskSource tasks,
      Verification verification,
      Sampler sampler) {
    this.config = config;
    this.rewriter = rewriter;
    this.tasks = tasks;
    this.verification = verification;
    this.sampler = sampler;
    ReplaySection replay = config.replay();
    selector =
        new ReplaySelector(replay.lambda0(), replay.eta(), replay.scope(), replay.selection());
    randoms = new Randoms(config.train().seed());
  }

  /**
   * A step's replays.
   *
   * @param replays in the order of their originals
   * @param belowFloor responses refused only by {@code replay.floor}
   * @param skipped pairs that were chosen but could not be replayed
   */
  public record Result(List<Trajectory> replays, int belowFloor, int skipped) {}

  /** lambda_s, the weight of CLA against entropy. */
  public double lambda(int step) {
    return selector.lambda(step);
  }

  /**
   * Makes the replays of a step.
   *
   * @param trajectories all of the step, a prompt's together
   * @param places R, the maximum number of replays under the paper's rule
   */
  public Result make(List<Trajectory> trajectories, int places, int step, Stopwatch watch) {
    if (config.replay().rewrite() == ReplaySection.Rewrite.NONE) {
      return new Result(List.of(), 0, 0);
    }
    boolean drop = config.replay().rewrite() == ReplaySection.Rewrite.DROP;
    int[] candidates =
        IntStream.range(0, trajectories.size())
            .filter(i -> drop ? partly(trajectories.get(i)) : failed(trajectories.get(i)))
            .toArray();
    int[] admitted =
        IntStream.of(candidates).filter(i -> reachesFloor(trajectories.get(i))).toArray();
    int[] chosen = drop ? best(trajectories, admitted, places, step) : atMost(admitted, step);
    List<Callable<@Nullable Trajectory>> rewrites = new ArrayList<>();
    for (int index : chosen) {
      List<Response> peers = peers(trajectories, index);
      rewrites.add(() -> rewrite(trajectories.get(index), peers, step));
    }
    List<Trajectory> replays = new ArrayList<>();
    for (Trajectory replay : verification.all(rewrites)) {
      if (replay != null) {
        replays.add(replay);
      }
    }
    return new Result(
        rescored(replays, watch),
        candidates.length - admitted.length,
        chosen.length - replays.size());
  }

  private boolean reachesFloor(Trajectory trajectory) {
    return config
        .replay()
        .floor()
        .admits(trajectory.task().instruction().question(), trajectory.response());
  }

  /** The paper's candidates. */
  private static boolean partly(Trajectory trajectory) {
    return ReplaySelector.isCandidate(trajectory.decidedCla());
  }

  /** Every failed response that ended with a stop token and is not blank. */
  private static boolean failed(Trajectory trajectory) {
    return trajectory.judges().decided()
        && !trajectory.judges().ila()
        && trajectory.stopped()
        && !trajectory.response().isBlank();
  }

  /** The paper's rule among the rows in {@code admitted}. */
  private int[] best(List<Trajectory> trajectories, int[] admitted, int places, int step) {
    double[] cla = new double[trajectories.size()];
    Arrays.fill(cla, Double.NaN);
    for (int i : admitted) {
      cla[i] = trajectories.get(i).decidedCla();
    }
    return selector.select(
        cla,
        trajectories.stream().mapToDouble(Trajectory::meanEntropy).toArray(),
        trajectories.stream().mapToInt(Trajectory::prompt).toArray(),
        places,
        step,
        randoms.stream(Purpose.SELECTION, step));
  }

  private int[] atMost(int[] admitted, int step) {
    Integer max = config.replay().max();
    return ReplaySelector.atMost(
        admitted,
        max == null ? 3 * config.train().prompts() : max,
        randoms.stream(Purpose.REPLAY_CAP, step));
  }

  /** The other responses to a trajectory's prompt, if goals are ranked by them. */
  private List<Response> peers(List<Trajectory> trajectories, int index) {
    if (config.replay().goal() != Goal.HARDEST) {
      return List.of();
    }
    int prompt = trajectories.get(index).prompt();
    return IntStream.range(0, trajectories.size())
        .filter(i -> i != index && trajectories.get(i).prompt() == prompt)
        .mapToObj(i -> trajectories.get(i).response())
        .toList();
  }

  /** Null if the pair cannot be rewritten, or the rewritten prompt is too long. */
  private @Nullable Trajectory rewrite(Trajectory trajectory, List<Response> peers, int step) {
    Task task = trajectory.task();
    Rewrite rewrite =
        rewriter.rewrite(
            task.instruction(),
            trajectory.response(),
            trajectory.judges(),
            peers,
            randoms.stream(Purpose.REWRITE, step, task.draw(), trajectory.completion().row()));
    if (!(rewrite instanceof Rewrite.Rewritten rewritten)) {
      return null;
    }
    return tasks
        .task(task.draw(), rewritten.instruction())
        .map(under -> trajectory.replayed(under, rewritten, score(trajectory, step)))
        .orElse(null);
  }

  /** Replaces the originals' log-probs by those under x', if the configuration says so. */
  private List<Trajectory> rescored(List<Trajectory> replays, Stopwatch watch) {
    if (config.replay().oldLogprobs() != OldLogprobs.REWRITTEN || replays.isEmpty()) {
      return replays;
    }
    List<Sequence> sequences =
        replays.stream().map(r -> Sequence.of(r.task().promptIds(), r.tokens())).toList();
    List<Sampler.Scored> scored = sampler.scoreShared(sequences, watch);
    return IntStream.range(0, replays.size())
        .mapToObj(
            i ->
                replays
                    .get(i)
                    .rescored(scored.get(i).policy().logprobs(), scored.get(i).reference()))
        .toList();
  }

  private @Nullable Double score(Trajectory original, int step) {
    if (config.replay().rewrite() != ReplaySection.Rewrite.DROP) {
      return null;
    }
    return switch (config.replay().selection()) {
      case BOTH -> selector.lambda(step) * original.judges().cla() + original.meanEntropy();
      case ENTROPY -> original.meanEntropy();
      case INTEGRITY -> original.judges().cla();
      case RANDOM -> null;
    };
  }
}
