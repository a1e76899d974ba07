package org.hirengine.engine.update;

import java.util.Arrays;
import java.util.Objects;
import java.util.function.Function;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.algo.LossAggregation;
import org.hirengine.engine.experience.TrainingRow;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.Scorer;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.Kernels.KlLoss;
import org.hirengine.kernels.Kernels.TokenInputs;
import org.jspecify.annotations.Nullable;

/**
 * The head of one micro-batch: from hidden states to logits, loss and the hidden states' gradient.
 *
 * <p>Runs in chunks that bound the memory of the logits. Within a chunk the loss kernel turns
 * logits into their gradient in place, so no second [tokens, V] matrix and no autograd graph of the
 * head exist. All tensors belong to the enclosing scope.
 */
final class LossHead {

  private final Policy policy;
  private final Kernels kernels;
  private final PolicyLoss loss;
  private final int chunkRows;
  private final Tensor predictors;
  private final Tensor hidden;
  private final Tensor hiddenGradient;
  private final Tensor targets;
  private final float[] weights;
  private final TokenInputs inputs;

  /**
   * @param totals of the whole mini-batch, which determine the tokens' weights
   * @param hidden [T, d], the micro-batch's hidden states
   * @param logitBytes memory for the logits of a chunk; at least one row is always computed
   */
  LossHead(
      Policy policy,
      Kernels kernels,
      PolicyLoss loss,
      MicroBatch batch,
      LossAggregation.Totals totals,
      Tensor hidden,
      long logitBytes) {
    this.policy = policy;
    this.kernels = kernels;
    this.loss = loss;
    chunkRows = Scorer.logitRows(policy, logitBytes);
    predictors = Tensors.to(policy.device(), Tensors.ofInts(batch.responses().rows()));
    this.hidden = hidden.index_select(0, predictors);
    hiddenGradient =
        Tensors.zeros(policy.device(), ScalarType.Float, hidden.size(0), hidden.size(1));
    targets = Tensors.to(policy.device(), Tensors.ofInts(batch.responses().targets()));
    weights = perToken(batch, row -> weights(row, totals));
    inputs =
        new TokenInputs(
            optional(batch, TrainingRow::oldLogprobs),
            loss.terms().klLoss() == KlLoss.NONE ? 0 : optional(batch, TrainingRow::refLogprobs),
            onDevice(perToken(batch, TrainingRow::advantages)),
            onDevice(weights));
  }

  private float[] weights(TrainingRow row, LossAggregation.Totals totals) {
    float[] same = new float[row.response().length];
    Arrays.fill(same, (float) loss.aggregation().weight(same.length, totals));
    return same;
  }

  /** The rows' values, one per response token, in the order of the micro-batch's targets. */
  private static float[] perToken(MicroBatch batch, Function<TrainingRow, float[]> values) {
    float[] all = new float[batch.responses().responseTokens()];
    int at = 0;
    for (TrainingRow row : batch.rows()) {
      float[] part = values.apply(row);
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    return all;
  }

  /** Address of values that all rows have, or 0 if no row has them. */
  private long optional(MicroBatch batch, Function<TrainingRow, float @Nullable []> values) {
    long have = batch.rows().stream().filter(row -> values.apply(row) != null).count();
    if (have == 0) {
      return 0;
    }
    if (have < batch.rows().size()) {
      throw new IllegalArgumentException(
          "only %d of %d rows of a micro-batch have old or reference log-probs"
              .formatted(have, batch.rows().size()));
    }
    return onDevice(perToken(batch, row -> Objects.requireNonNull(values.apply(row))));
  }

  private long onDevice(float[] values) {
    return Tensors.address(Tensors.to(policy.device(), Tensors.of(values)));
  }

  /** d loss / d hidden states of the tokens that {@link #run} has gone through, fp32[T, d]. */
  Tensor hiddenGradient() {
    return hiddenGradient;
  }

  /** Loss and gradients of a range of response tokens. */
  LossSums run(int from, int to) {
    LossSums sums = LossSums.ZERO;
    for (int start = from; start < to; start += chunkRows) {
      sums = sums.plus(chunk(start, Math.min(chunkRows, to - start)));
    }
    return sums;
  }

  private LossSums chunk(int start, int count) {
    try (PointerScope scope = new PointerScope()) {
      Tensor rows = hidden.narrow(0, start, count);
      Tensor logits = policy.passes().logits(rows);
      Tensor logprobs = Tensors.empty(policy.device(), ScalarType.Float, count);
      Kernels.PolicyLossSums sums =
          kernels.policyLoss(
              policy.device(),
              Scorer.rows(logits, policy.passes().logitType()),
              Tensors.address(targets) + (long) Long.BYTES * start,
              from(start),
              loss.terms(),
              Tensors.address(logprobs),
              0);
      Tensor rowGradient = policy.passes().headBackward(logits, rows);
      hiddenGradient.index_add_(0, predictors.narrow(0, start, count), rowGradient);
      return weighted(start, Tensors.floats(logprobs.cpu()), sums);
    }
  }

  private TokenInputs from(int start) {
    long skipped = DType.FLOAT32.bytes * (long) start;
    return new TokenInputs(
        inputs.oldLogprobs() == 0 ? 0 : inputs.oldLogprobs() + skipped,
        inputs.refLogprobs() == 0 ? 0 : inputs.refLogprobs() + skipped,
        inputs.advantages() + skipped,
        inputs.weights() + skipped);
  }

  private LossSums weighted(int start, float[] logprobs, Kernels.PolicyLossSums sums) {
    double weight = 0;
    double logprob = 0;
    for (int i = 0; i < logprobs.length; i++) {
      weight += weights[start + i];
      logprob += (double) weights[start + i] * logprobs[i];
    }
    return LossSums.of(weight, logprob, sums);
  }
}
