package org.hirengine.engine.plan;

/** The phases of a training step, which need memory for different things. */
public enum Phase {
  ROLLOUT,
  LOGPROBS,
  UPDATE,
  CHECKPOINT;

  /** As people read it. */
  public String title() {
    return this == LOGPROBS ? "log-probs" : name().toLowerCase(java.util.Locale.ROOT);
  }
}
