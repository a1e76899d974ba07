package org.hirengine.engine.model;

import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.model.ForwardPass.Activations;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.jspecify.annotations.Nullable;

/**
 * What a policy's weights compute: the decoder over packed tokens, and the head that turns hidden
 * states into logits. One implementation calls the native model, the other LibTorch's operators.
 */
public abstract sealed class Passes permits NativePasses, LibTorchPasses {

  private final Policy policy;

  Passes(Policy policy) {
    this.policy = policy;
  }

  /**
   * Runs the decoder over a packed batch; the caller closes the result.
   *
   * @throws IllegalArgumentException for a token outside the vocabulary, or a sequence longer than
   *     the model's positions
   * @throws IllegalStateException when a frozen policy is asked to keep activations
   */
  public ForwardPass forward(PackedBatch batch, Activations activations) {
    if (activations != Activations.NONE) {
      policy.gradients();
    }
    batch.check(policy.config());
    return run(batch, activations, null);
  }

  /**
   * Runs the decoder over prompts and writes their keys and values.
   *
   * @param keyValues [layers, T, 2 * kvHeads * headDim] in the compute type, written: rotated keys
   *     before values
   */
  public ForwardPass prefill(PackedBatch prompts, Tensor keyValues) {
    prompts.check(policy.config());
    return run(prompts, Activations.NONE, keyValues);
  }

  abstract ForwardPass run(PackedBatch batch, Activations activations, @Nullable Tensor keyValues);

  /** Type of {@link #logits}. */
  public abstract DType logitType();

  /** Logits of hidden rows, [n, V] of {@link #logitType()}; owned by the enclosing scope. */
  public Tensor logits(Tensor hiddenRows) {
    Tensor logits = emptyLogits(hiddenRows.size(0));
    logits(hiddenRows, logits);
    return logits;
  }

  /** An uninitialised buffer for logits, [rows, V]; owned by the enclosing scope. */
  Tensor emptyLogits(long rows) {
    return Tensors.empty(
        policy.device(), Tensors.type(logitType()), rows, policy.config().vocabSize());
  }

  /**
   * Logits of hidden rows.
   *
   * @param hiddenRows [n, d] in the compute type, contiguous
   * @param logits [n, V] of {@link #logitType()}, contiguous, written
   */
  public abstract void logits(Tensor hiddenRows, Tensor logits);

  /** Whether {@link #logprobs} runs here; otherwise score {@link #logits}. */
  boolean scoresHidden() {
    return false;
  }

  /**
   * Log-probs and entropies of tokens without logits in memory; bit for bit those of {@link
   * #logits}.
   *
   * @param hiddenRows [n, d] in the compute type, contiguous
   * @param targets int64[n]
   * @param temperature logits are divided by it before the softmax
   * @param logprobs fp32[n], written
   * @param entropies fp32[n], written
   */
  void logprobs(
      Tensor hiddenRows, Tensor targets, double temperature, Tensor logprobs, Tensor entropies) {
    throw new UnsupportedOperationException("these passes score logits");
  }

  /**
   * Backward of {@link #logits}: adds to the head's gradient, which is the embedding's if they are
   * tied.
   *
   * @param logitGradient [n, V] of {@link #logitType()}
   * @param hiddenRows [n, d], contiguous, what the logits were made from
   * @return d loss / d hiddenRows, fp32[n, d]; owned by the enclosing scope
   */
  public Tensor headBackward(Tensor logitGradient, Tensor hiddenRows) {
    if (Tensors.dtype(logitGradient) != Tensors.type(logitType())) {
      throw new IllegalArgumentException(
          "gradients of logits are " + logitType() + ", not " + Tensors.dtype(logitGradient));
    }
    policy.gradients();
    return backward(logitGradient, hiddenRows);
  }

  abstract Tensor backward(Tensor logitGradient, Tensor hiddenRows);
}
