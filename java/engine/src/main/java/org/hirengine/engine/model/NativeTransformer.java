package org.hirengine.engine.model;

import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DecoderWeights;
import org.hirengine.kernels.TransformerKernel;
import org.jspecify.annotations.Nullable;

/**
 * A policy's decoder and head as native calls: fp32 on the CPU. Follows the policy's weights by
 * their version.
 */
final class NativeTransformer implements AutoCloseable {

  private final Policy policy;
  private final TransformerKernel kernel;
  private long packedVersion = -1;
  private long positions;

  NativeTransformer(Policy policy, TransformerKernel kernel) {
    this.policy = policy;
    this.kernel = kernel;
  }

  /**
   * Runs a batch.
   *
   * @param keyValues [layers, T, 2 * kvHeads * headDim], written: rotated keys before values
   */
  ForwardPass forward(
      PackedBatch batch, ForwardPass.Activations activations, @Nullable Tensor keyValues) {
    refresh();
    if (batch.longest() > positions) {
      RotaryTable rotary = policy.rotary(batch.longest());
      positions = rotary.cosines().size(0);
      kernel.rotary(Tensors.address(rotary.cosines()), Tensors.address(rotary.sines()), positions);
    }
    Tensor hidden =
        Tensors.own(Tensors.empty(ScalarType.Float, batch.tokens(), policy.config().hiddenSize()));
    try {
      long pass =
          kernel.forward(
              wide(batch.ids()),
              wide(batch.lengths()),
              wide(batch.prefixes()),
              activations.keep,
              Tensors.address(hidden),
              keyValues == null ? 0 : Tensors.address(keyValues));
      return new Pass(hidden, pass);
    } catch (RuntimeException e) {
      hidden.close();
      throw e;
    }
  }

  /** Logits of hidden rows: [n, d] into [n, V], both contiguous. */
  void logits(Tensor hiddenRows, Tensor logits) {
    refresh();
    kernel.logits(Tensors.address(hiddenRows), hiddenRows.size(0), Tensors.address(logits));
  }

  /** Backward of {@link #logits}: writes [n, d] and adds to the head's gradient. */
  void headBackward(Tensor logitGradient, Tensor hiddenRows, Tensor hiddenGradient) {
    kernel.logitsBackward(
        Tensors.address(logitGradient),
        Tensors.address(hiddenRows),
        hiddenRows.size(0),
        Tensors.address(hiddenGradient),
        Tensors.address(policy.headGradient()));
  }

  private void refresh() {
    if (policy.version() != packedVersion) {
      kernel.weights(policy.weightAddresses());
      packedVersion = policy.version();
    }
  }

  private static long[] wide(int[] values) {
    return Arrays.stream(values).asLongStream().toArray();
  }

  @Override
  public void close() {
    kernel.close();
  }

  private final class Pass implements ForwardPass {

    private final Tensor hidden;
    private final long pass;

    Pass(Tensor hidden, long pass) {
      this.hidden = hidden;
      this.pass = pass;
    }

    @Override
    public Tensor hidden() {
      return hidden;
    }

    @Override
    public void backward(Tensor gradient) {
      DecoderWeights gradients = policy.gradientAddresses();
      try (Tensor contiguous = gradient.contiguous()) {
        kernel.backward(pass, Tensors.address(contiguous), gradients);
      }
    }

    @Override
    public void close() {
      hidden.close();
    }
  }
}
