package org.hirengine.engine.rollout;

import org.hirengine.kernels.Kernels.Filters;

/**
 * How responses are sampled.
 *
 * @param maxTokens most tokens of a response, including its stop id
 * @param temperature logits are divided by it; 0 takes the likeliest token
 * @param topK only the k likeliest tokens; 0 is off
 * @param topP only the likeliest tokens that together reach this probability; 1 is off
 * @param minP only tokens at least this share as likely as the likeliest; 0 is off
 * @param entropies whether completions carry the entropy of each token's distribution
 */
public record RolloutParams(
    int maxTokens, double temperature, int topK, double topP, double minP, boolean entropies) {

  public RolloutParams {
    check(maxTokens >= 1, "maxTokens must be at least 1", maxTokens);
    check(temperature >= 0 && temperature < 1e6, "temperature must be 0 or more", temperature);
    check(topK >= 0, "topK must be 0 (off) or more", topK);
    check(topP > 0 && topP <= 1, "topP must be above 0 and at most 1 (off)", topP);
    check(minP >= 0 && minP <= 1, "minP must be between 0 (off) and 1", minP);
  }

  /** Without entropies. */
  public RolloutParams(int maxTokens, double temperature, int topK, double topP, double minP) {
    this(maxTokens, temperature, topK, topP, minP, false);
  }

  private static void check(boolean valid, String rule, Number found) {
    if (!valid) {
      throw new IllegalArgumentException(rule + ", not " + found);
    }
  }

  /** Plain sampling at a temperature, no filters. */
  public static RolloutParams sampling(int maxTokens, double temperature) {
    return new RolloutParams(maxTokens, temperature, 0, 1, 0);
  }

  /** The likeliest token at every step. */
  public static RolloutParams greedy(int maxTokens) {
    return sampling(maxTokens, 0);
  }

  /** The same, with entropies if {@code wanted}. */
  public RolloutParams withEntropies(boolean wanted) {
    return new RolloutParams(maxTokens, temperature, topK, topP, minP, wanted);
  }

  Filters filters() {
    return new Filters(temperature, topK, topP, minP);
  }
}
