package org.hirengine.engine.runs;

import java.util.Objects;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.Rewrite;
import org.hirengine.verify.JudgeList;
import org.jspecify.annotations.Nullable;

/**
 * One trained row of a step, with everything that went into its loss: enough to repeat the update
 * from the dump and the weights alone.
 *
 * @param index its index in the batch, from 0: rows are dumped in training order
 * @param promptId id of its instruction
 * @param row its number among its instruction's responses of this step, which keys its random
 *     stream; for a replay, its original's
 * @param purpose what it was sampled for, as in the random stream
 * @param instruction x, the instruction it was sampled under
 * @param replay how a replay was made; null for an original
 * @param prompt the text of {@code promptIds}, after the chat template: that of x, or of x' for a
 *     replay
 * @param promptIds the prompt it is trained under
 * @param response the verified text
 * @param responseIds the sampled tokens, including the stop token; the arrays of numbers below have
 *     one entry per token
 * @param finishReason why sampling ended: {@code stop} or {@code length}
 * @param rolloutLogprobs log-probs as decoding computed them
 * @param oldLogprobs log-probs under the sampling policy that the ratio compares with
 * @param refLogprobs log-probs under the reference policy; null if there is none
 * @param judge verdicts on x, also for a replay
 * @param reward reward of the last token, before the KL penalty
 * @param advantages per token
 * @param entropy mean over its tokens of the token entropy under x, in nats
 * @param score score as a candidate for replay; null if it was none
 */
@SuppressWarnings(
    "ArrayRecordComponent") // hundreds of thousands of numbers, read once and never compared
public record RolloutRow(
    int index,
    String promptId,
    int row,
    String purpose,
    Instruction instruction,
    @Nullable Replay replay,
    String prompt,
    int[] promptIds,
    String response,
    int[] responseIds,
    String finishReason,
    float[] rolloutLogprobs,
    float[] oldLogprobs,
    float @Nullable [] refLogprobs,
    JudgeList judge,
    double reward,
    double[] advantages,
    double entropy,
    @Nullable Double score) {

  /**
   * What makes a row a replay.
   *
   * @param of index of the original, which is a row of the same step
   * @param rewrite x' and how it differs from x
   */
  public record Replay(int of, Rewrite.Rewritten rewrite) {}

  /**
   * Checks that all per-token arrays have one number per token.
   *
   * @throws IllegalArgumentException naming the one that does not
   */
  public RolloutRow {
    Objects.requireNonNull(instruction, "instruction");
    check("rollout log-probs", rolloutLogprobs.length, responseIds.length);
    check("old log-probs", oldLogprobs.length, responseIds.length);
    if (refLogprobs != null) {
      check("reference log-probs", refLogprobs.length, responseIds.length);
    }
    check("advantages", advantages.length, responseIds.length);
  }

  private static void check(String what, int length, int tokens) {
    if (length != tokens) {
      throw new IllegalArgumentException(
          length + " " + what + " for " + tokens + " response tokens");
    }
  }
}
