package org.hirengine.engine.experience;

import org.hirengine.engine.rollout.Completion;
import org.hirengine.replay.ReplaySelector;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Response;
import org.jspecify.annotations.Nullable;

/**
 * A sampled response with everything known about it.
 *
 * @param prompt index of its task within the step
 * @param response the verified text
 * @param judges verdicts under the task's instruction
 * @param oldLogprobs per token, of the sampling policy as scored
 * @param entropies per token, of the distribution it was drawn from, in nats
 * @param refLogprobs per token, of the reference policy; null where there is none
 */
public record Trajectory(
    Task task,
    int prompt,
    Completion completion,
    Response response,
    JudgeList judges,
    float[] oldLogprobs,
    float[] entropies,
    float @Nullable [] refLogprobs) {

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
