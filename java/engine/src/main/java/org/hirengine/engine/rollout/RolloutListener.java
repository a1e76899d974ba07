package org.hirengine.engine.rollout;

/**
 * Receives what a {@link RolloutEngine} samples, on the sampling thread: slow code here delays
 * every row. An exception thrown by a listener ends the sampling.
 */
public interface RolloutListener {

  /** Ignores everything. */
  RolloutListener NONE = new RolloutListener() {};

  /**
   * A row got its next token; a stop id is not reported.
   *
   * @param promptId id of its {@link Prompt}
   * @param row number among the responses to that prompt
   */
  default void token(int promptId, int row, int token) {}

  /**
   * A row ended. Rows end in no particular order.
   *
   * @param index its index in the result of {@link RolloutEngine#generate}
   */
  default void completed(int index, Completion completion) {}
}
