package org.hirengine.engine.rollout;

import java.util.List;
import java.util.function.IntPredicate;
import java.util.function.IntUnaryOperator;

/**
 * What a {@link RolloutEngine} is asked to sample: {@code n} responses to each prompt.
 *
 * @param prompts not empty, and short enough for {@code params.maxTokens()} new tokens
 * @param n responses to each prompt, at least 1
 * @param firstRow number of a prompt's first response, at least 0: extra samples of a prompt
 *     continue the numbering, so that they draw other random numbers
 * @param random selects the random numbers
 * @param listener hears what is sampled, on the sampling thread
 * @param limits most tokens of the completion of that index, at least 1; {@code params.maxTokens()}
 *     applies too
 * @param own number of prompts, the first ones, that determine how many rows run at once; the
 *     others, which other engines may sample as well, are begun when these leave room
 * @param claims whether this engine samples the prompt of that index; asked once, when its turn
 *     comes
 */
public record RolloutCall(
    List<Prompt> prompts,
    int n,
    int firstRow,
    RolloutParams params,
    RandomStream random,
    RolloutListener listener,
    IntUnaryOperator limits,
    int own,
    IntPredicate claims) {

  public RolloutCall {
    prompts = List.copyOf(prompts);
    if (n < 1 || firstRow < 0) {
      throw new IllegalArgumentException(
          "n " + n + " and firstRow " + firstRow + " must be >= 1, 0");
    }
  }

  /** All prompts, each response up to {@code params.maxTokens()} tokens, and no listener. */
  public RolloutCall(
      List<Prompt> prompts, int n, int firstRow, RolloutParams params, RandomStream random) {
    this(
        prompts,
        n,
        firstRow,
        params,
        random,
        RolloutListener.NONE,
        completion -> params.maxTokens(),
        prompts.size(),
        prompt -> true);
  }

  /** The same, reported to a listener. */
  public RolloutCall heardBy(RolloutListener listener) {
    return new RolloutCall(prompts, n, firstRow, params, random, listener, limits, own, claims);
  }

  /** The same, with a limit for each response. */
  public RolloutCall limitedTo(IntUnaryOperator limits) {
    return new RolloutCall(prompts, n, firstRow, params, random, listener, limits, own, claims);
  }

  /** The same, but only the prompts that are claimed. */
  public RolloutCall sharedWith(int own, IntPredicate claims) {
    return new RolloutCall(prompts, n, firstRow, params, random, listener, limits, own, claims);
  }
}
