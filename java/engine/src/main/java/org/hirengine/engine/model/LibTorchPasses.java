package org.hirengine.engine.model;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.model.ForwardPass.Activations;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.kernels.DType;
import org.jspecify.annotations.Nullable;

/** Passes by LibTorch's operators, with autograd through the layers. */
final class LibTorchPasses extends Passes {

  private final Policy policy;

  LibTorchPasses(Policy policy) {
    super(policy);
    this.policy = policy;
  }

  @Override
  ForwardPass run(PackedBatch batch, Activations activations, @Nullable Tensor keyValues) {
    return new LibTorchPass(policy, batch, activations, keyValues);
  }

  @Override
  public DType logitType() {
    return policy.computeType();
  }

  @Override
  public void logits(Tensor hiddenRows, Tensor logits) {
    try (GradMode off = GradMode.disabled();
        Tensor transposed = policy.headWeight().t()) {
      torch.mm_out(logits, hiddenRows, transposed);
    }
  }

  @Override
  Tensor backward(Tensor logitGradient, Tensor hiddenRows) {
    try (GradMode off = GradMode.disabled();
        Tensor transposed = logitGradient.t()) {
      Tensor headGradient = policy.headGradient();
      if (headGradient != null && policy.computeType() == DType.FLOAT32) {
        headGradient.addmm_(transposed, hiddenRows);
      } else if (headGradient != null) {
        try (Tensor product = transposed.mm(hiddenRows)) {
          headGradient.add_(product);
        }
      }
      return logitGradient.mm(policy.headWeight()).to(ScalarType.Float);
    }
  }
}
