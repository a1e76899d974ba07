package org.hirengine.engine.experience;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.hirengine.engine.algo.AdvantageEstimator;
import org.hirengine.engine.algo.KlPenalty;
import org.hirengine.engine.algo.Moments;
import org.hirengine.engine.config.ReplaySection.ReplayGroup;
import org.hirengine.engine.config.RewardSection.RewardKind;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.config.VerifySection.NoVerdict;
import org.hirengine.engine.runs.RolloutRow;
import org.hirengine.kernels.Kernels.KlLoss;
import org.hirengine.replay.Instruction;

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

  /**
   * Puts a step's batch together.
   *
   * @param trajectories a prompt's together
   * @param replays of some of them
   * @param beta weight of the KL penalty
   */
  public static StepBatch of(
      TrainConfig config, List<Trajectory> trajectories, List<Trajectory> replays, double beta) {
    Map<Trajectory, Trajectory> byOriginal = new IdentityHashMap<>();
    replays.forEach(
        replay -> byOriginal.put(Objects.requireNonNull(replay.replay()).original(), replay));
    List<Trajectory> entries = new ArrayList<>();
    int undecided = 0;
    for (Trajectory trajectory : trajectories) {
      if (!trajectory.judges().decided() && config.verify().noVerdict() == NoVerdict.SKIP) {
        undecided++;
        continue;
      }
      entries.add(trajectory);
      Trajectory replay = byOriginal.get(trajectory);
      if (replay != null) {
        entries.add(replay);
      }
    }
    return new Assembly(config, entries, beta).batch(undecided);
  }

  /** Whether all rows have the same reward, so that only the KL penalty gives a signal. */
  public boolean withoutSignal() {
    return !(rewardDeviation > 0);
  }

  private static final class Assembly {

    private final TrainConfig config;
    private final List<Trajectory> entries;
    private final double beta;
    private double klSum;

    Assembly(TrainConfig config, List<Trajectory> entries, double beta) {
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
        Trajectory entry = entries.get(i);
        rowRewards[i] = reward(entry);
        rewards[i] = tokenRewards(entry, rowRewards[i]);
        tokens += rewards[i].length;
        groups[i] = entry.prompt();
        outside[i] = entry.replay() != null && config.replay().group() == ReplayGroup.OWN;
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
          records.add(record(i, rowRewards[i], advantages[i]));
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

    /** The reward of a whole response; a replay satisfies its rewritten instruction. */
    private double reward(Trajectory entry) {
      if (entry.replay() != null) {
        return 1;
      }
      return config.reward().kind() == RewardKind.CLA
          ? entry.judges().cla()
          : entry.judges().ila() ? 1 : 0;
    }

    /** The reward on the last token, minus beta times the KL on every token. */
    private double[] tokenRewards(Trajectory entry, double reward) {
      double[] rewards = new double[entry.tokens().length];
      rewards[rewards.length - 1] = reward;
      float[] ref = entry.refLogprobs();
      if (ref != null) {
        KlPenalty penalty = config.kl().penalty();
        double sum = 0;
        for (int t = 0; t < rewards.length; t++) {
          double kl = penalty.of(entry.oldLogprobs()[t], ref[t]);
          rewards[t] -= beta * kl;
          sum += kl;
        }
        klSum += sum / rewards.length;
      }
      return rewards;
    }

    private TrainingRow row(Trajectory entry, double[] advantages) {
      return TrainingRow.of(
          entry.task().promptIds(),
          entry.tokens(),
          entry.oldLogprobs(),
          config.kl().loss() == KlLoss.NONE ? null : entry.refLogprobs(),
          advantages,
          entry.replay() != null);
    }

    /** A replay's original is the row before it. */
    private RolloutRow record(int index, double reward, double[] advantages) {
      Trajectory entry = entries.get(index);
      Trajectory.Replay replay = entry.replay();
      Instruction instruction = entry.sampledFor().instruction();
      return new RolloutRow(
          index,
          instruction.id(),
          entry.completion().row(),
          "training",
          instruction,
          replay == null ? null : new RolloutRow.Replay(index - 1, replay.rewrite()),
          entry.task().text(),
          entry.task().promptIds(),
          entry.response().text(),
          entry.tokens(),
          entry.completion().finishReason().name().toLowerCase(Locale.ROOT),
          entry.completion().logprobs(),
          entry.oldLogprobs(),
          entry.refLogprobs(),
          entry.judges(),
          reward,
          advantages,
          entry.meanEntropy(),
          replay == null ? null : replay.score());
    }
  }
}
