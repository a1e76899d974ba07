package org.hirengine.engine.rollout;

/**
 * Told what a {@link RolloutEngine} samples while it does, on the thread that samples: what takes
 * long here holds up every row. An exception thrown here ends the sampling.
 */
public interface RolloutListener {

  /** Takes no notice. */
  RolloutListener NONE = new RolloutListener() {};

  /**
   * A row got its next token; a stop id is not told.
   *
   * @param promptId id of its {@link Prompt}
   * @param row number among the responses to that prompt
   */
  default void token(int promptId, int row, int token) {}

  /**
   * A row ended. Rows end in no particular order.
   *
   * @param index its place in what {@link RolloutEngine#generate} returns
   */
  default void completed(int index, Completion completion) {}
}
