package org.hirengine.engine.model;

import org.bytedeco.pytorch.Tensor;
import org.hirengine.kernels.ModelKernel.Keep;

/**
 * One packed batch through the decoder, up to the final norm: hidden states now, gradients on
 * {@link #backward}. Closing it frees everything that was kept for the backward.
 */
public interface ForwardPass extends AutoCloseable {

  /** What is kept for the backward. */
  enum Activations {
    /** No backward: nothing is kept. */
    NONE(Keep.NOTHING),
    /** Everything is kept. */
    KEEP(Keep.EVERYTHING),
    /** Only each layer's input is kept; the layer runs once more in the backward. */
    RECOMPUTE(Keep.INPUTS);

    final Keep keep;

    Activations(Keep keep) {
      this.keep = keep;
    }
  }

  /** [T, d] in the compute type, after the final norm, outside autograd's graph. */
  Tensor hidden();

  /**
   * Adds the gradients of all decoder parameters and of the embedding to the policy's gradient
   * buffer; the caller adds the head's ({@link Passes#headBackward}). Call it once, and only on the
   * policy's latest pass: the next pass overwrites what was kept.
   *
   * @param gradient d loss / d hidden, fp32[T, d]
   */
  void backward(Tensor gradient);

  @Override
  void close();
}
