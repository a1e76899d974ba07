package org.hirengine.engine.algo;

/**
 * Clipped surrogate with dual clip (ALGORITHM 2.9) and its derivative with respect to the log-prob,
 * token by token in double, written from the formula, for comparison with kernels and trainers.
 *
 * @param loss the token's loss before its weight
 * @param gradient d loss / d log-prob
 */
public record ReferencePolicyLoss(
    double loss, double gradient, boolean clipped, boolean dualClipped, double approxKl) {

  public static ReferencePolicyLoss of(
      double logprob, double old, double advantage, double low, double high, double dual) {
    double difference = logprob - old;
    double bounded = Math.max(-20, Math.min(20, difference));
    double ratio = Math.exp(bounded);
    double ratioGradient = Math.abs(difference) > 20 ? 0 : ratio;
    double plain = -advantage * ratio;
    boolean outside = ratio < 1 - low || ratio > 1 + high;
    double fenced = -advantage * Math.max(1 - low, Math.min(1 + high, ratio));
    boolean clipped = fenced > plain;
    double loss = Math.max(plain, fenced);
    // Within the clip range both are equal, and either has the gradient without clipping.
    double gradient = clipped && outside ? 0 : -advantage * ratioGradient;
    boolean dualClipped = advantage < 0 && -advantage * dual < loss;
    if (dualClipped) {
      loss = -advantage * dual;
      gradient = 0;
    }
    return new ReferencePolicyLoss(loss, gradient, clipped, dualClipped, -bounded);
  }

  /** d {@link KlPenalty#of} / d log-prob. */
  public static double klGradient(KlPenalty penalty, double logprob, double ref) {
    double difference = logprob - ref;
    return switch (penalty) {
      case K1 -> 1;
      case ABS -> Math.signum(difference);
      case K2 -> difference;
      case K3 -> {
        double logRatio = -difference;
        boolean flat = Math.abs(logRatio) > 20 || Math.exp(logRatio) - logRatio - 1 > 10;
        yield flat ? 0 : 1 - Math.exp(logRatio);
      }
    };
  }
}
