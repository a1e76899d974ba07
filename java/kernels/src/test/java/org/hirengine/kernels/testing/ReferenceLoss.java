package org.hirengine.kernels.testing;

import org.hirengine.kernels.Kernels.PolicyLossConfig;

/** The loss of one token in doubles, straight from its definition (ALGORITHM 2.9). */
final class ReferenceLoss {

  private ReferenceLoss() {}

  static double loss(
      double[] logits,
      int target,
      double old,
      double ref,
      double advantage,
      PolicyLossConfig config) {
    double max = Double.NEGATIVE_INFINITY;
    for (double x : logits) {
      max = Math.max(max, x / config.temperature());
    }
    double sum = 0;
    for (double x : logits) {
      sum += Math.exp(x / config.temperature() - max);
    }
    double entropy = 0;
    for (double x : logits) {
      double logp = x / config.temperature() - max - Math.log(sum);
      entropy -= Math.exp(logp) * logp;
    }
    double logprob = logits[target] / config.temperature() - max - Math.log(sum);
    double toRef = logprob - ref;
    double kl =
        switch (config.klLoss()) {
          case NONE -> 0;
          case K1 -> toRef;
          case K2 -> toRef * toRef / 2;
          case K3 -> Math.max(-10, Math.min(10, Math.exp(-toRef) - 1 + toRef));
        };
    return surrogate(logprob, old, advantage, config)
        + config.klWeight() * kl
        - config.entropyBonus() * entropy;
  }

  private static double surrogate(
      double logprob, double old, double advantage, PolicyLossConfig config) {
    double ratio = Math.exp(Math.max(-20, Math.min(20, logprob - old)));
    double bounded = Math.max(1 - config.clipLow(), Math.min(1 + config.clipHigh(), ratio));
    double loss = Math.max(-advantage * ratio, -advantage * bounded);
    return advantage < 0 ? Math.min(loss, -config.clipDual() * advantage) : loss;
  }

  /** d surrogate / d log-prob: the derivative of the ratio where no clip binds. */
  static double byLogprob(double logprob, double old, double advantage, PolicyLossConfig config) {
    double h = 1e-6;
    return (surrogate(logprob + h, old, advantage, config)
            - surrogate(logprob - h, old, advantage, config))
        / (2 * h);
  }

  /** d (byLogprob * logp[target] - bonus * entropy) / d logits. */
  static double[] gradient(
      Softmax softmax, int target, double byLogprob, double bonus, double temperature) {
    double[] gradient = new double[softmax.logProbs.length];
    for (int j = 0; j < gradient.length; j++) {
      double logp = softmax.logProbs[j];
      double p = Math.exp(logp);
      double spread = p > 0 ? p * (logp + softmax.entropy) : 0;
      gradient[j] = (byLogprob * ((j == target ? 1 : 0) - p) + bonus * spread) / temperature;
    }
    return gradient;
  }
}
