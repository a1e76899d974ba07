package org.hirengine.engine.update;

import org.hirengine.engine.algo.LossAggregation;
import org.hirengine.kernels.Kernels.KlLoss;
import org.hirengine.kernels.Kernels.PolicyLossConfig;

/**
 * The loss that an update minimises: the paper's clipped objective over originals and replays
 * (ALGORITHM 2.9). {@code Kernels.policyLoss} computes it and its gradient.
 *
 * <pre>
 * r_t = exp(clamp(log pi(y_t | x, y_&lt;t) - old_t, -20, 20))
 * L_t = max(-A_t r_t, -A_t clip(r_t, 1 - clipLow, 1 + clipHigh)), at most -clipDual A_t where A_t &lt; 0
 *       - entropyBonus H_t + klWeight KL(pi, reference)_t
 * L   = sum_t w_t L_t
 * </pre>
 *
 * <p>{@code old_t} is the row's old log-prob: of its original prompt for a replay, so that the
 * ratio compares the rewritten instruction with the original one for the same response (ALGORITHM
 * 2.6). Without old log-probs the ratio is 1.
 *
 * @param terms temperature, clip ranges, entropy bonus and KL term
 * @param aggregation gives w_t
 * @param scale constant of {@link LossAggregation#SEQ_MEAN_TOKEN_SUM_NORM}, usually the response
 *     limit
 */
public record PolicyLoss(PolicyLossConfig terms, LossAggregation aggregation, double scale) {

  /**
   * Mean cross-entropy per response token, of rows with advantage 1 and no old log-probs: with a
   * ratio of 1 nothing is clipped, and the gradient is that of minus the log-prob.
   */
  public static final PolicyLoss CROSS_ENTROPY =
      new PolicyLoss(
          new PolicyLossConfig(1, 0.2, 0.2, Double.POSITIVE_INFINITY, 0, KlLoss.NONE, 0),
          LossAggregation.TOKEN_MEAN,
          1);
}
