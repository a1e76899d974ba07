package org.hirengine.kernels;

import org.hirengine.kernels.global.hirkernels;

/** {@link TransformerKernel} on the transformer of {@code native/include/hir_kernels.h}. */
final class NativeTransformerKernel implements TransformerKernel {

  private final DecoderShape shape;
  private long transformer;

  NativeTransformerKernel(int backend, DecoderShape shape) {
    this.shape = shape;
    long[] made = new long[1];
    NativeKernels.check(
        hirkernels.hir_transformer_create(
            backend,
            shape.layers(),
            shape.hidden(),
            shape.intermediate(),
            shape.heads(),
            shape.kvHeads(),
            shape.headDim(),
            shape.vocab(),
            shape.normEpsilon(),
            shape.dtype().code,
            made));
    transformer = made[0];
  }

  @Override
  public void weights(DecoderWeights weights) {
    NativeKernels.check(
        hirkernels.hir_transformer_weights(transformer(), weights.addresses(shape.layers())));
  }

  @Override
  public void rotary(long cosines, long sines, long positions) {
    NativeKernels.check(
        hirkernels.hir_transformer_rotary(transformer(), cosines, sines, positions));
  }

  @Override
  public long forward(
      long[] ids, long[] lengths, long[] prefixes, Keep keep, long hidden, long keysValues) {
    if (lengths.length != prefixes.length) {
      throw new KernelException(
          lengths.length + " segments, but what " + prefixes.length + " of them continue");
    }
    long[] pass = new long[1];
    NativeKernels.check(
        hirkernels.hir_transformer_forward(
            transformer(),
            ids,
            ids.length,
            lengths,
            prefixes,
            lengths.length,
            keep.code,
            hidden,
            keysValues,
            pass));
    return pass[0];
  }

  @Override
  public void backward(long pass, long hiddenGradient, DecoderWeights gradients) {
    NativeKernels.check(
        hirkernels.hir_transformer_backward(
            transformer(), pass, hiddenGradient, gradients.addresses(shape.layers())));
  }

  @Override
  public void logits(long hidden, long rows, long logits) {
    NativeKernels.check(
        hirkernels.hir_transformer_logits(transformer(), hidden, rows, logits, shape.vocab()));
  }

  @Override
  public void logitsBackward(
      long logitsGradient, long hidden, long rows, long hiddenGradient, long headGradient) {
    NativeKernels.check(
        hirkernels.hir_transformer_logits_backward(
            transformer(),
            logitsGradient,
            shape.vocab(),
            hidden,
            rows,
            hiddenGradient,
            headGradient));
  }

  private long transformer() {
    if (transformer == 0) {
      throw new IllegalStateException("this transformer is closed");
    }
    return transformer;
  }

  @Override
  public void close() {
    if (transformer != 0) {
      hirkernels.hir_transformer_free(transformer);
      transformer = 0;
    }
  }
}
