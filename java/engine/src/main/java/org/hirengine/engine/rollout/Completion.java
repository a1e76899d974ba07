package org.hirengine.engine.rollout;

import org.jspecify.annotations.Nullable;

/**
 * One sampled response.
 *
 * @param promptId id of its {@link Prompt}
 * @param row number among the responses to that prompt
 * @param tokens the sampled tokens, including a stop id at the end
 * @param logprobs of each token under the tempered, unfiltered distribution (temperature 0: of
 *     temperature 1), in nats
 * @param entropies of each token's distribution, the same one, in nats; null unless {@link
 *     RolloutParams#entropies()} asked for them
 */
public record Completion(
    int promptId,
    int row,
    int[] tokens,
    float[] logprobs,
    float @Nullable [] entropies,
    FinishReason finishReason) {

  /** Why a response ended. */
  public enum FinishReason {
    /** A stop id was sampled. */
    STOP,
    /** The limit of new tokens was reached. */
    LENGTH
  }

  /** Number of tokens before the stop id: those that make up the response's text. */
  public int textTokens() {
    return finishReason == FinishReason.STOP ? tokens.length - 1 : tokens.length;
  }
}
