package org.hirengine.engine.algo;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.DoubleStream;

/**
 * From token-level rewards to per-token advantages (verl {@code core_algos}).
 *
 * <p>The estimators that compare a row with its group leave replayed rows out of every group, so a
 * replay never shifts its original's baseline. A replay's own advantage is then one standard
 * deviation of the batch's rewards (replays included, so it is positive even if no original
 * succeeded): 1 if advantages are in units of standard deviations (grpo), the deviation itself if
 * they are in units of rewards (rloo, dr-grpo, reinforce++-baseline before its whitening). To put
 * replays into their original's group, pass them as not replayed.
 */
public enum AdvantageEstimator {
  /** Discounted returns, whitened over all tokens of the batch. Needs no groups. */
  REINFORCE_PLUS_PLUS {
    @Override
    public double[][] advantages(Batch batch, double gamma) {
      return Moments.whiten(returns(batch.rewards(), gamma), true);
    }
  },
  /** Reward minus the group's mean, whitened over all tokens of the batch. */
  REINFORCE_PLUS_PLUS_BASELINE {
    @Override
    public double[][] advantages(Batch batch, double gamma) {
      return Moments.whiten(DR_GRPO.advantages(batch, gamma), true);
    }
  },
  /** Reward minus the group's mean, in units of the group's standard deviation. */
  GRPO {
    @Override
    public double[][] advantages(Batch batch, double gamma) {
      double[] scores = batch.scores();
      Map<Integer, Moments> groups = batch.groupMoments(scores);
      double[] advantages = new double[scores.length];
      for (int i = 0; i < scores.length; i++) {
        Moments group = groups.get(batch.groups()[i]);
        double deviation = alone(group) ? 1 : group.standardDeviation();
        advantages[i] =
            batch.replayed()[i] ? 1 : (scores[i] - mean(group)) / (deviation + GRPO_EPSILON);
      }
      return batch.spread(advantages);
    }
  },
  /** Reward minus the group's mean, not divided (Dr. GRPO). */
  DR_GRPO {
    @Override
    public double[][] advantages(Batch batch, double gamma) {
      double[] scores = batch.scores();
      Map<Integer, Moments> groups = batch.groupMoments(scores);
      double[] advantages = new double[scores.length];
      for (int i = 0; i < scores.length; i++) {
        advantages[i] =
            batch.replayed()[i]
                ? batch.deviation(scores)
                : scores[i] - mean(groups.get(batch.groups()[i]));
      }
      return batch.spread(advantages);
    }
  },
  /** Reward minus the mean of the group's other rows. */
  RLOO {
    @Override
    public double[][] advantages(Batch batch, double gamma) {
      double[] scores = batch.scores();
      Map<Integer, Moments> groups = batch.groupMoments(scores);
      double[] advantages = new double[scores.length];
      for (int i = 0; i < scores.length; i++) {
        Moments group = groups.get(batch.groups()[i]);
        double leaveOneOut = alone(group) ? 1 : (double) group.count() / (group.count() - 1);
        advantages[i] =
            batch.replayed()[i] ? batch.deviation(scores) : (scores[i] - mean(group)) * leaveOneOut;
      }
      return batch.spread(advantages);
    }
  };

  private static final double GRPO_EPSILON = 1e-6;

  /**
   * Advantages of every token.
   *
   * @param gamma discount of {@link #REINFORCE_PLUS_PLUS}; the others use whole-row rewards
   * @return rows of the same lengths as {@code batch.rewards()}
   */
  public abstract double[][] advantages(Batch batch, double gamma);

  /**
   * Rewards of a batch.
   *
   * @param rewards per token, KL penalty included
   * @param groups per row, the prompt it belongs to
   * @param replayed per row, whether it is a replay outside its group
   */
  public record Batch(double[][] rewards, int[] groups, boolean[] replayed) {

    public Batch {
      if (groups.length != rewards.length || replayed.length != rewards.length) {
        throw new IllegalArgumentException(
            "rewards, groups and replayed must have one entry per row, got %d, %d and %d"
                .formatted(rewards.length, groups.length, replayed.length));
      }
    }

    /** Sum of each row's rewards. */
    public double[] scores() {
      double[] scores = new double[rewards.length];
      for (int i = 0; i < rewards.length; i++) {
        for (double r : rewards[i]) {
          scores[i] += r;
        }
      }
      return scores;
    }

    private Map<Integer, Moments> groupMoments(double[] scores) {
      Map<Integer, DoubleStream.Builder> members = new HashMap<>();
      for (int i = 0; i < scores.length; i++) {
        if (!replayed[i]) {
          members.computeIfAbsent(groups[i], group -> DoubleStream.builder()).add(scores[i]);
        }
      }
      Map<Integer, Moments> moments = new HashMap<>();
      members.forEach((group, values) -> moments.put(group, Moments.of(values.build().toArray())));
      return moments;
    }

    /** Standard deviation of the batch's rewards, replays included; 0 for a single row. */
    private double deviation(double[] scores) {
      return scores.length < 2 ? 0 : Moments.of(scores).standardDeviation();
    }

    private double[][] spread(double[] perRow) {
      double[][] perToken = new double[rewards.length][];
      for (int i = 0; i < rewards.length; i++) {
        perToken[i] = new double[rewards[i].length];
        Arrays.fill(perToken[i], perRow[i]);
      }
      return perToken;
    }
  }

  /** Discounted sum of the rewards from each token on. */
  public static double[][] returns(double[][] rewards, double gamma) {
    double[][] returns = new double[rewards.length][];
    for (int i = 0; i < rewards.length; i++) {
      returns[i] = new double[rewards[i].length];
      double running = 0;
      for (int t = rewards[i].length - 1; t >= 0; t--) {
        running = rewards[i][t] + gamma * running;
        returns[i][t] = running;
      }
    }
    return returns;
  }

  /** A row without companions has no baseline, as in the reference. */
  private static boolean alone(Moments group) {
    return group == null || group.count() < 2;
  }

  private static double mean(Moments group) {
    return alone(group) ? 0 : group.mean();
  }
}
