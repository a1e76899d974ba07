package org.hirengine.engine.model;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.model.ForwardPass.Activations;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.jspecify.annotations.Nullable;

/** Passes of the native model, which holds packed copies of the weights. */
final class NativePasses extends Passes {

  private final Policy policy;
  private final NativeModel model;

  NativePasses(Policy policy, NativeModel model) {
    super(policy);
    this.policy = policy;
    this.model = model;
  }

  @Override
  ForwardPass run(PackedBatch batch, Activations activations, @Nullable Tensor keyValues) {
    return model.forward(batch, activations, keyValues);
  }

  @Override
  public DType logitType() {
    return DType.FLOAT32;
  }

  @Override
  public void logits(Tensor hiddenRows, Tensor logits) {
    model.logits(hiddenRows, logits);
  }

  @Override
  boolean scoresHidden() {
    return model.scoresHidden();
  }

  @Override
  void logprobs(
      Tensor hiddenRows, Tensor targets, double temperature, Tensor logprobs, Tensor entropies) {
    model.logprobs(hiddenRows, targets, temperature, logprobs, entropies);
  }

  @Override
  Tensor backward(Tensor logitGradient, Tensor hiddenRows) {
    Tensor hiddenGradient =
        Tensors.empty(
            policy.device(), ScalarType.Float, hiddenRows.size(0), policy.config().hiddenSize());
    model.headBackward(logitGradient, hiddenRows, hiddenGradient, policy.headGradient());
    return hiddenGradient;
  }
}
