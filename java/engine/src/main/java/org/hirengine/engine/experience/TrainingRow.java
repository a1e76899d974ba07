package org.hirengine.engine.experience;

import org.hirengine.engine.model.ResponseBatch.Sequence;
import org.jspecify.annotations.Nullable;

/**
 * One row of a training batch: a response under the prompt it is trained on.
 *
 * @param prompt token ids; rows that share a prompt share the array, and its forward pass
 * @param response token ids, at least one; all of them are trained
 * @param oldLogprobs per response token, of the policy that the ratio compares with; null makes the
 *     ratio 1 (on-policy, and cross-entropy)
 * @param refLogprobs per response token, of the reference policy; null if no KL loss needs them
 * @param advantages per response token
 * @param replayed whether statistics count it as a replay
 */
public record TrainingRow(
    int[] prompt,
    int[] response,
    float @Nullable [] oldLogprobs,
    float @Nullable [] refLogprobs,
    float[] advantages,
    boolean replayed)
    implements Sequence {

  public TrainingRow {
    if (prompt.length == 0 || response.length == 0) {
      throw new IllegalArgumentException(
          "a training row needs prompt and response tokens, got %d and %d"
              .formatted(prompt.length, response.length));
    }
  }

  /** A row whose advantages were computed in double. */
  public static TrainingRow of(
      int[] prompt,
      int[] response,
      float @Nullable [] oldLogprobs,
      float @Nullable [] refLogprobs,
      double[] advantages,
      boolean replayed) {
    float[] narrowed = new float[advantages.length];
    for (int t = 0; t < narrowed.length; t++) {
      narrowed[t] = (float) advantages[t];
    }
    return new TrainingRow(prompt, response, oldLogprobs, refLogprobs, narrowed, replayed);
  }
}
