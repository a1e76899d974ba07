package org.hirengine.kernels;

import java.util.List;

/**
 * The shape of a {@link ModelKernel}: a decoder-only transformer of the Qwen3, Qwen2 or Llama kind
 * (RMS norms, rotary positions, grouped-query attention, SwiGLU).
 *
 * @param intermediate width of the gates in SwiGLU
 * @param headDim width of one head; even, not always hidden / heads
 * @param vocab rows of the embedding and the head
 * @param dtype of weights, activations, keys and values; sums, the residual stream and logits are
 *     float32
 * @param windows sliding window of each layer: how many tokens one sees, itself included, or 0 for
 *     all before it; empty if no layer has one
 */
public record ModelShape(
    int layers,
    int hidden,
    int intermediate,
    int heads,
    int kvHeads,
    int headDim,
    int vocab,
    double normEpsilon,
    DType dtype,
    List<Integer> windows) {

  /** The windows are copied. */
  public ModelShape {
    if (!windows.isEmpty() && windows.size() != layers) {
      throw new IllegalArgumentException(windows.size() + " windows for " + layers + " layers");
    }
    windows = List.copyOf(windows);
  }

  /** A shape without sliding windows. */
  public ModelShape(
      int layers,
      int hidden,
      int intermediate,
      int heads,
      int kvHeads,
      int headDim,
      int vocab,
      double normEpsilon,
      DType dtype) {
    this(
        layers,
        hidden,
        intermediate,
        heads,
        kvHeads,
        headDim,
        vocab,
        normEpsilon,
        dtype,
        List.of());
  }
}
