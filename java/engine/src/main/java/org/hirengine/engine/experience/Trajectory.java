package org.hirengine.engine.experience;

import org.hirengine.engine.rollout.Completion;
import org.hirengine.replay.ReplaySelector;
import org.hirengine.replay.Rewrite;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Response;
import org.jspecify.annotations.Nullable;

/**
 * A sampled response with everything known about it: under the task that it was sampled for, or, as
 * a replay, under a rewritten one that it satisfies.
 *
 * @param prompt index within the step of the task that it was sampled for
 * @param response the verified text
 * @param judges verdicts under the instruction that it was sampled for
 * @param oldLogprobs per token, of the sampling policy: what the ratio compares with
 * @param entropies per token, of the distribution it was drawn from, in nats
 * @param refLogprobs per token, of the reference policy; null where there is none
 * @param mismatch between decoding and scoring; null where it was not scored
 * @param replay origin of a replay; null for a sampled response
 */
public record Trajectory(
    Task task,
    int prompt,
    Completion completion,
    Response response,
    JudgeList judges,
    float[] oldLogprobs,
    float[] entropies,
    float @Nullable [] refLogprobs,
    @Nullable Mismatch mismatch,
    @Nullable Replay replay) {

  /**
   * The origin of a replay.
   *
   * @param original the failed response as it was sampled
   * @param rewrite x' and how it was made
   * @param score the score that ranked it; null if replays are not ranked
   */
  public record Replay(Trajectory original, Rewrite.Rewritten rewrite, @Nullable Double score) {}

  /** Replays it under {@code task}, the prompt of x', with the log-probs of its own prompt. */
  Trajectory replayed(Task task, Rewrite.Rewritten rewrite, @Nullable Double score) {
    return new Trajectory(
        task,
        prompt,
        completion,
        response,
        judges,
        oldLogprobs,
        entropies,
        refLogprobs,
        mismatch,
        new Replay(this, rewrite, score));
  }

  /** With other log-probs for the ratio and the reference. */
  Trajectory rescored(float[] old, float @Nullable [] ref) {
    return new Trajectory(
        task, prompt, completion, response, judges, old, entropies, ref, mismatch, replay);
  }

  /** The task that it was sampled for. */
  Task sampledFor() {
    return replay == null ? task : replay.original.task;
  }

  public int[] tokens() {
    return completion.tokens();
  }

  public boolean stopped() {
    return completion.finishReason() == Completion.FinishReason.STOP;
  }

  /** CLA, or NaN where a constraint got no verdict. */
  double decidedCla() {
    return judges.decided() ? judges.cla() : Double.NaN;
  }

  /** Whether the paper's rule may replay it. */
  public boolean partlySatisfied() {
    return ReplaySelector.isCandidate(decidedCla());
  }

  /** Mean over tokens, in nats. */
  double meanEntropy() {
    double sum = 0;
    for (float entropy : entropies) {
      sum += entropy;
    }
    return sum / entropies.length;
  }
}
