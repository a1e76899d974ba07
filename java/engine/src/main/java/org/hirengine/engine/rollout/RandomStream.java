package org.hirengine.engine.rollout;

/**
 * Selects the random numbers of a call. Every token's number is a function of this stream, its
 * prompt's id, its row and its position only: it does not depend on which rows are sampled
 * together, in what order, or by how many threads.
 *
 * @param seed the run's seed, key of the Philox generator
 * @param purpose what is sampled for (training, evaluation, ...), 0 to 255
 * @param step the training step, 0 to 2^24 - 1
 */
public record RandomStream(long seed, int purpose, int step) {

  /** Purpose of training rollouts. */
  public static final int TRAINING = 0;

  /** Purpose of evaluation during and after training. */
  public static final int EVALUATION = 1;

  /** Purpose of plain generation. */
  public static final int GENERATION = 2;

  public RandomStream {
    if (purpose < 0 || purpose > 255) {
      throw new IllegalArgumentException("purpose must be between 0 and 255, not " + purpose);
    }
    if (step < 0 || step >= 1 << 24) {
      throw new IllegalArgumentException("step must be between 0 and 2^24 - 1, not " + step);
    }
  }

  /** Writes the Philox counter of one token to {@code counters[at .. at + 3]}. */
  void counter(int position, int row, int promptId, int[] counters, int at) {
    counters[at] = position;
    counters[at + 1] = row;
    counters[at + 2] = promptId;
    counters[at + 3] = purpose << 24 | step;
  }
}
