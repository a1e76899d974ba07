package org.hirengine.engine.update;

import org.hirengine.kernels.Kernels.PolicyLossSums;

/**
 * The loss kernel's sums over tokens, each times its weight, with the sum of the weights.
 *
 * @param weight sum of the tokens' weights
 * @param logprob of the policy before the update
 */
public record LossSums(
    double weight,
    double loss,
    double logprob,
    double entropy,
    double approxKl,
    double clipped,
    double clippedDual,
    double klLoss) {

  static final LossSums ZERO = new LossSums(0, 0, 0, 0, 0, 0, 0, 0);

  /** From the kernel's sums over tokens with these total weights and log-probs. */
  static LossSums of(double weight, double logprob, PolicyLossSums sums) {
    return new LossSums(
        weight,
        sums.loss(),
        logprob,
        sums.entropy(),
        sums.approxKl(),
        sums.clipped(),
        sums.clippedDual(),
        sums.klLoss());
  }

  LossSums plus(LossSums other) {
    return new LossSums(
        weight + other.weight,
        loss + other.loss,
        logprob + other.logprob,
        entropy + other.entropy,
        approxKl + other.approxKl,
        clipped + other.clipped,
        clippedDual + other.clippedDual,
        klLoss + other.klLoss);
  }

  /** A sum as a weighted mean; 0 where nothing was summed. */
  public double mean(double sum) {
    return weight > 0 ? sum / weight : 0;
  }
}
