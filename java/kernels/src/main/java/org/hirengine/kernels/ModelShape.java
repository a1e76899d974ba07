package org.hirengine.kernels;

/**
 * The shape of a {@link ModelKernel}: a decoder-only transformer of the Qwen3, Qwen2 or Llama kind
 * (RMS norms, rotary positions, grouped-query attention, SwiGLU).
 *
 * @param intermediate width of the gates in SwiGLU
 * @param headDim width of one head; even, not always hidden / heads
 * @param vocab rows of the embedding and the head
 * @param dtype of weights, activations, keys and values; sums, the residual stream and logits are
 *     float32
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
    DType dtype) {}
