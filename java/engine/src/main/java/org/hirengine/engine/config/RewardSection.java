package org.hirengine.engine.config;

/**
 * Section {@code reward} of a training run's configuration: what a sampled response is rewarded
 * with.
 */
public record RewardSection(
    @Key(doc = "Reward of a sampled response.", value = "ila", shorthand = true) RewardKind kind,
    @Key(doc = "Which verdicts count.", value = "strict") VerdictMode mode) {

  /** The reward of a sampled response. */
  public enum RewardKind {
    /** 1 if all constraints are satisfied, else 0. */
    ILA,
    /** The fraction of satisfied constraints. */
    CLA
  }

  /** Strict verdicts, or loose ones (the best of the response and its trimmed variants). */
  public enum VerdictMode {
    STRICT,
    LOOSE
  }
}
