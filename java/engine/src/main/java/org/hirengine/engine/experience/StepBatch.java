package org.hirengine.engine.experience;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.hirengine.engine.algo.AdvantageEstimator;
import org.hirengine.engine.algo.KlPenalty;
import org.hirengine.engine.algo.Moments;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.config.TrainConfig.NoVerdict;
import org.hirengine.engine.config.TrainConfig.ReplayGroup;
import org.hirengine.engine.config.TrainConfig.RewardKind;
import org.hirengine.engine.runs.RolloutRow;
import org.hirengine.kernels.Kernels.KlLoss;
import org.jspecify.annotations.Nullable;

/**
 * The rows a step trains on, in training order: a prompt's responses together, each replay right
 * after its original; with rewards, KL penalty and advantages (ALGORITHM 2.4, 2.7, 2.8).
 *
 * @param rows what the update learns from
 * @param records the same rows with everything that led to them
 * @param rewardDeviation standard deviation of the rows' rewards before the KL penalty
 * @param meanReward their mean
 * @param meanRowKl mean over rows of the mean KL from the reference over a row's tokens, which
 *     steers beta; 0 without reference
 * @param undecided responses left out because a constraint got no verdict
 */
public record StepBatch(
    List<TrainingRow> rows,
    List<RolloutRow> records,
    double rewardDeviation,
    double meanReward,
    double meanRowKl,
    int undecided) {

  /** A row before its advantages are known. */
  private record Entry(
      Trajectory original, @Nullable Replay replay, int originalIndex, double reward) {

    float[] old() {
      return replay == null ? original.oldLogprobs() : replay.oldLogprobs();
    }

    float @Nullable [] ref() {
      return replay == null ? original.refLogprobs() : replay.refLogprobs();
    }
  }

  /**
   * Puts a step's batch together.
   *
   * @param trajectories a prompt's together
   * @param replays in the order of their originals
   * @param beta weight of the KL penalty
   */
  public static StepBatch of(
      TrainConfig config, List<Trajectory> trajectories, List<Replay> replays, double beta) {
    Map<Integer, Replay> byOriginal = new HashMap<>();
    replays.forEach(replay -> byOriginal.put(replay.original(), replay));
    List<Entry> entries = new ArrayList<>();
    int undecided = 0;
    for (int i = 0; i < trajectories.size(); i++) {
      Trajectory trajectory = trajectories.get(i);
      if (!trajectory.judges().decided() && config.verify().noVerdict() == NoVerdict.SKIP) {
        undecided++;
        continue;
      }
      int index = entries.size();
      entries.add(new Entry(trajectory, null, index, reward(config, trajectory)));
      Replay replay = byOriginal.get(i);
      if (replay != null) {
        entries.add(new Entry(trajectory, replay, index, 1));
      }
    }
    return new Assembly(config, entries, beta).batch(undecided);
  }

  private static double reward(TrainConfig config, Trajectory trajectory) {
    return config.reward().kind() == RewardKind.CLA
        ? trajectory.judges().cla()
        : trajectory.judges().ila() ? 1 : 0;
  }

  /** Whether all rows have the same reward, so that only the KL penalty is left to learn from. */
  public boolean withoutSignal() {
    return !(rewardDeviation > 0);
  }

  private static final class Assembly {

    private final TrainConfig config;
    private final List<Entry> entries;
    private final double beta;
    private double klSum;

    Assembly(TrainConfig config, List<Entry> entries, double beta) {
      this.config = config;
      this.entries = entries;
      this.beta = beta;
    }

    StepBatch batch(int undecided) {
      int count = entries.size();
      double[][] rewards = new double[count][];
      int[] groups = new int[count];
      boolean[] outside = new boolean[count];
      double[] rowRewards = new double[count];
      int tokens = 0;
      for (int i = 0; i < count; i++) {
        Entry entry = entries.get(i);
        rewards[i] = rewards(entry);
        tokens += rewards[i].length;
        rowRewards[i] = entry.reward;
        groups[i] = entry.original.prompt();
        outside[i] = entry.replay != null && config.replay().group() == ReplayGroup.OWN;
      }
      Moments moments = Moments.of(rowRewards);
      List<TrainingRow> rows = new ArrayList<>(count);
      List<RolloutRow> records = new ArrayList<>(count);
      if (tokens >= 2) {
        double[][] advantages =
            config
                .advantage()
                .estimator()
                .advantages(
                    new AdvantageEstimator.Batch(rewards, groups, outside),
                    config.advantage().gamma());
        for (int i = 0; i < count; i++) {
          rows.add(row(entries.get(i), advantages[i]));
          records.add(record(i, entries.get(i), advantages[i]));
        }
      }
      return new StepBatch(
          rows,
          records,
          count < 2 ? 0 : moments.standardDeviation(),
          count == 0 ? 0 : moments.mean(),
          count == 0 ? 0 : klSum / count,
          undecided);
    }

    /** The reward on the last token, minus beta times the KL on every token. */
    private double[] rewards(Entry entry) {
      double[] rewards = new double[entry.original.tokens().length];
      rewards[rewards.length - 1] = entry.reward;
      float[] ref = entry.ref();
      if (ref != null) {
        KlPenalty penalty = config.kl().penalty();
        double sum = 0;
        for (int t = 0; t < rewards.length; t++) {
          double kl = penalty.of(entry.old()[t], ref[t]);
          rewards[t] -= beta * kl;
          sum += kl;
        }
        klSum += sum / rewards.length;
      }
      return rewards;
    }

    private TrainingRow row(Entry entry, double[] advantages) {
      float[] narrowed = new float[advantages.length];
      for (int t = 0; t < narrowed.length; t++) {
        narrowed[t] = (float) advantages[t];
      }
      Replay replay = entry.replay;
      return new TrainingRow(
          replay == null ? entry.original.task().promptIds() : replay.promptIds(),
          entry.original.tokens(),
          entry.old(),
          config.kl().loss() == KlLoss.NONE ? null : entry.ref(),
          narrowed,
          replay != null);
    }

    private RolloutRow record(int index, Entry entry, double[] advantages) {
      Trajectory original = entry.original;
      Replay replay = entry.replay;
      return new RolloutRow(
          index,
          original.task().instruction().id(),
          original.completion().row(),
          "training",
          original.task().instruction(),
          replay == null ? null : new RolloutRow.Replay(entry.originalIndex, replay.rewrite()),
          replay == null ? original.task().text() : replay.text(),
          replay == null ? original.task().promptIds() : replay.promptIds(),
          original.response().text(),
          original.tokens(),
          original.completion().finishReason().name().toLowerCase(Locale.ROOT),
          original.completion().logprobs(),
          entry.old(),
          entry.ref(),
          original.judges(),
          entry.reward,
          advantages,
          original.meanEntropy(),
          replay == null ? null : replay.score());
    }
  }
}
