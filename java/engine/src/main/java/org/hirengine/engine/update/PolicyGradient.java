package org.hirengine.engine.update;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.algo.LossAggregation;
import org.hirengine.engine.experience.TrainingRow;
import org.hirengine.engine.model.ForwardPass;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.Scorer;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.Kernels.KlLoss;
import org.hirengine.kernels.Kernels.PolicyLossConfig;
import org.hirengine.kernels.Kernels.TokenInputs;

/**
 * The gradient of the policy loss over a mini-batch (ALGORITHM 2.9).
 *
 * <p>Micro-batches bound the activations and chunks of the head bound the logits; neither changes
 * the result beyond rounding, because every token's weight comes from the whole mini-batch. Within
 * a chunk the loss kernel turns logits into their gradient in place, so no second [tokens, V]
 * matrix and no autograd graph of the head exist.
 */
public final class PolicyGradient {

  /**
   * Memory limits, which do not change results.
   *
   * @param microTokens packed tokens per forward pass
   * @param sharePrompts compute a prompt once for its rows in a micro-batch
   * @param logitBytes logits held at once
   */
  public record Budget(
      int microTokens,
      boolean sharePrompts,
      long logitBytes,
      ForwardPass.Activations activations) {}

  private final Policy policy;
  private final Kernels kernels;
  private final PolicyLossConfig loss;
  private final LossAggregation aggregation;
  private final double aggregationScale;
  private final Budget budget;

  public PolicyGradient(
      Policy policy,
      Kernels kernels,
      PolicyLossConfig loss,
      LossAggregation aggregation,
      double aggregationScale,
      Budget budget) {
    this.policy = policy;
    this.kernels = kernels;
    this.loss = loss;
    this.aggregation = aggregation;
    this.aggregationScale = aggregationScale;
    this.budget = budget;
  }

  /**
   * Sums of a mini-batch, originals and replays apart.
   *
   * @param tokens trained tokens
   */
  public record Result(LossSums originals, LossSums replays, long tokens) {

    static final Result NONE = new Result(LossSums.ZERO, LossSums.ZERO, 0);

    LossSums all() {
      return originals.plus(replays);
    }
  }

  /** Adds the mini-batch's gradient to the policy's gradient buffer. */
  Result accumulate(List<TrainingRow> miniBatch) {
    return accumulate(miniBatch, rows -> {});
  }

  /**
   * Adds the mini-batch's gradient to the policy's gradient buffer.
   *
   * @param progress called after each micro-batch with its number of rows
   */
  Result accumulate(List<TrainingRow> miniBatch, IntConsumer progress) {
    int[] lengths = miniBatch.stream().mapToInt(row -> row.response().length).toArray();
    var totals = LossAggregation.Totals.of(lengths, aggregationScale);
    LossSums originals = LossSums.ZERO;
    LossSums replays = LossSums.ZERO;
    for (MicroBatch batch : MicroBatch.cut(miniBatch, budget.microTokens, budget.sharePrompts)) {
      TokenArrays tokens = TokenArrays.of(batch, aggregation, totals);
      try (PointerScope scope = new PointerScope();
          GradMode off = GradMode.disabled();
          ForwardPass pass = policy.forward(batch.batch().packed(), budget.activations)) {
        Tensor predictors = Tensors.to(policy.device(), Tensors.ofInts(batch.batch().rows()));
        Tensor hidden = pass.hidden().index_select(0, predictors);
        Tensor gradient =
            Tensors.zeros(
                policy.device(), ScalarType.Float, pass.hidden().size(0), pass.hidden().size(1));
        Head head = new Head(batch, tokens, hidden, predictors, gradient);
        originals = originals.plus(head.run(0, batch.originalTokens()));
        replays = replays.plus(head.run(batch.originalTokens(), batch.batch().responseTokens()));
        pass.backward(gradient);
      }
      progress.accept(batch.rows().size());
    }
    return new Result(originals, replays, (long) totals.tokens());
  }

  /** Per-token inputs of the loss kernel, in the order of a micro-batch's targets. */
  private record TokenArrays(
      float[] weights, float[] advantages, float[] old, float[] ref, boolean onPolicy) {

    static TokenArrays of(
        MicroBatch batch, LossAggregation aggregation, LossAggregation.Totals totals) {
      int count = batch.batch().responseTokens();
      float[] weights = new float[count];
      float[] advantages = new float[count];
      float[] old = new float[count];
      float[] ref = new float[count];
      boolean onPolicy = true;
      int at = 0;
      for (TrainingRow row : batch.rows()) {
        int length = row.response().length;
        Arrays.fill(weights, at, at + length, (float) aggregation.weight(length, totals));
        System.arraycopy(row.advantages(), 0, advantages, at, length);
        if (row.oldLogprobs() != null) {
          System.arraycopy(row.oldLogprobs(), 0, old, at, length);
          onPolicy = false;
        }
        if (row.refLogprobs() != null) {
          System.arraycopy(row.refLogprobs(), 0, ref, at, length);
        }
        at += length;
      }
      return new TokenArrays(weights, advantages, old, ref, onPolicy);
    }
  }

  /** The head of one micro-batch: logits, loss and the gradient of the hidden states. */
  private final class Head {

    private final TokenArrays tokens;
    private final Tensor hidden;
    private final Tensor predictors;
    private final Tensor gradient;
    private final Tensor targets;
    private final Tensor inputs;

    Head(MicroBatch batch, TokenArrays tokens, Tensor hidden, Tensor predictors, Tensor gradient) {
      this.tokens = tokens;
      this.hidden = hidden;
      this.predictors = predictors;
      this.gradient = gradient;
      targets = Tensors.to(policy.device(), Tensors.ofInts(batch.batch().targets()));
      int count = batch.batch().responseTokens();
      float[] all = new float[4 * count];
      System.arraycopy(tokens.weights, 0, all, 0, count);
      System.arraycopy(tokens.advantages, 0, all, count, count);
      System.arraycopy(tokens.old, 0, all, 2 * count, count);
      System.arraycopy(tokens.ref, 0, all, 3 * count, count);
      inputs = Tensors.to(policy.device(), Tensors.of(all));
    }

    LossSums run(int from, int to) {
      int chunk = Scorer.logitRows(policy, budget.logitBytes);
      LossSums sums = LossSums.ZERO;
      for (int start = from; start < to; start += chunk) {
        int end = Math.min(to, start + chunk);
        sums = sums.plus(chunk(start, end - start));
      }
      return sums;
    }

    private LossSums chunk(int start, int count) {
      try (PointerScope scope = new PointerScope()) {
        Tensor rows = hidden.narrow(0, start, count);
        Tensor logits = policy.logits(rows);
        Tensor logprobs = Tensors.empty(policy.device(), ScalarType.Float, count);
        Kernels.PolicyLossSums sums =
            kernels.policyLoss(
                policy.device(),
                Scorer.rows(logits, policy.logitType()),
                Tensors.address(targets) + (long) Long.BYTES * start,
                new TokenInputs(
                    tokens.onPolicy ? 0 : input(2, start),
                    loss.klLoss() == KlLoss.NONE ? 0 : input(3, start),
                    input(1, start),
                    input(0, start)),
                loss,
                Tensors.address(logprobs),
                0);
        Tensor rowGradient = policy.headBackward(logits, rows);
        gradient.index_add_(0, predictors.narrow(0, start, count), rowGradient);
        return weighted(start, Tensors.floats(logprobs.cpu()), sums);
      }
    }

    private LossSums weighted(int start, float[] logprobs, Kernels.PolicyLossSums sums) {
      double weight = 0;
      double logprob = 0;
      for (int i = 0; i < logprobs.length; i++) {
        weight += tokens.weights[start + i];
        logprob += (double) tokens.weights[start + i] * logprobs[i];
      }
      return LossSums.of(weight, logprob, sums);
    }

    private long input(int which, int start) {
      long count = tokens.weights.length;
      return Tensors.address(inputs) + DType.FLOAT32.bytes * (which * count + start);
    }
  }
}
