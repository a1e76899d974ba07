package org.hirengine.engine.algo;

import java.util.Locale;

/**
 * Per-token estimators of KL(policy || reference) from the log-probs of the sampled token (verl
 * {@code kl_penalty}; Schulman's k1, k2, k3).
 */
public enum KlPenalty {
  /** {@code logp - ref}: unbiased, of either sign. */
  K1,
  /** {@code |logp - ref|}. */
  ABS,
  /** {@code (logp - ref)^2 / 2}: biased, low variance. */
  K2,
  /** {@code exp(ref - logp) - (ref - logp) - 1}: unbiased, never negative, clamped to +-10. */
  K3;

  private static final double LOG_RATIO_LIMIT = 20;
  private static final double K3_LIMIT = 10;

  /**
   * Finds an estimator by name, including verl's synonyms: k1/kl, abs, k2/mse, k3/low_var_kl.
   *
   * @throws IllegalArgumentException naming the known ones
   */
  public static KlPenalty of(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "k1", "kl" -> K1;
      case "abs" -> ABS;
      case "k2", "mse" -> K2;
      case "k3", "low_var_kl" -> K3;
      default ->
          throw new IllegalArgumentException(
              "unknown KL penalty \""
                  + name
                  + "\"; one of k1 (kl), abs, k2 (mse), k3 (low_var_kl)");
    };
  }

  public double of(double logprob, double refLogprob) {
    double difference = logprob - refLogprob;
    return switch (this) {
      case K1 -> difference;
      case ABS -> Math.abs(difference);
      case K2 -> 0.5 * difference * difference;
      case K3 -> {
        double logRatio = clamp(-difference, LOG_RATIO_LIMIT);
        yield clamp(Math.exp(logRatio) - logRatio - 1, K3_LIMIT);
      }
    };
  }

  private static double clamp(double x, double limit) {
    return Math.max(-limit, Math.min(limit, x));
  }
}
