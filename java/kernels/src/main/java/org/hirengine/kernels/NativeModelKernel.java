package org.hirengine.kernels;

import java.util.List;
import org.hirengine.kernels.global.hirkernels;

/** {@link ModelKernel} over the model of {@code native/include/hir_kernels.h}. */
final class NativeModelKernel implements ModelKernel {

  private final ModelShape shape;
  private final boolean passes;
  private final boolean scoresHidden;
  private long model;

  /**
   * @param passes whether the backend runs passes, and not only decoders
   */
  NativeModelKernel(int backend, Device device, ModelShape shape, boolean passes) {
    this.shape = shape;
    this.passes = passes;
    this.scoresHidden = backend == hirkernels.HIR_AVX2 || backend == hirkernels.HIR_AVX512;
    long[] made = new long[1];
    try (hirkernels.hir_model_shape sizes = sizes(shape)) {
      NativeKernels.check(
          hirkernels.hir_model_create(backend, device.index(), device.stream(), sizes, made));
    }
    model = made[0];
    if (!shape.windows().isEmpty()) {
      long[] windows = shape.windows().stream().mapToLong(Integer::longValue).toArray();
      try {
        NativeKernels.check(hirkernels.hir_model_windows(model, windows));
      } catch (RuntimeException e) {
        close();
        throw e;
      }
    }
  }

  /** The shape as native code takes it; the caller closes it. */
  static hirkernels.hir_model_shape sizes(ModelShape shape) {
    hirkernels.hir_model_shape sizes = new hirkernels.hir_model_shape();
    sizes.layers(shape.layers()).hidden(shape.hidden()).intermediate(shape.intermediate());
    sizes.heads(shape.heads()).kv_heads(shape.kvHeads()).head_dim(shape.headDim());
    return sizes.vocab(shape.vocab()).norm_epsilon(shape.normEpsilon()).dtype(shape.dtype().code);
  }

  @Override
  public boolean runsPasses() {
    return passes;
  }

  @Override
  public DecodeKernel decoder() {
    return new NativeDecodeKernel(model());
  }

  @Override
  public void setWeights(WeightAddresses weights) {
    NativeKernels.check(hirkernels.hir_model_weights(model(), weights.addresses(shape.layers())));
  }

  @Override
  public void setFrozen(WeightAddresses vectors, List<FrozenMatrix> matrices) {
    try (hirkernels.hir_matrix table = new hirkernels.hir_matrix(matrices.size())) {
      for (int i = 0; i < matrices.size(); i++) {
        FrozenMatrix matrix = matrices.get(i);
        hirkernels.hir_matrix row = table.position(i);
        row.data(matrix.data()).type(matrix.storage().code).mapped(matrix.mapped() ? 1 : 0);
        row.head(matrix.head());
        row.rank(matrix.rank()).scale(matrix.scale()).a(matrix.a()).b(matrix.b());
        row.a_gradient(matrix.aGradient()).b_gradient(matrix.bGradient());
      }
      table.position(0);
      NativeKernels.check(
          hirkernels.hir_model_frozen(
              model(), vectors.addresses(shape.layers()), table, matrices.size()));
    }
  }

  @Override
  public void setRotary(long cosines, long sines, long positions) {
    NativeKernels.check(hirkernels.hir_model_rotary(model(), cosines, sines, positions));
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
        hirkernels.hir_model_forward(
            model(),
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
  public void backward(long pass, long hiddenGradient, WeightAddresses gradients) {
    NativeKernels.check(
        hirkernels.hir_model_backward(
            model(), pass, hiddenGradient, gradients.addresses(shape.layers())));
  }

  @Override
  public void logits(long hidden, long rows, long logits) {
    NativeKernels.check(hirkernels.hir_model_logits(model(), hidden, rows, logits, shape.vocab()));
  }

  @Override
  public boolean scoresHidden() {
    return scoresHidden;
  }

  @Override
  public void logprobs(
      long hidden, long rows, long targets, double temperature, long logprobs, long entropies) {
    NativeKernels.check(
        hirkernels.hir_model_logprobs(
            model(), hidden, rows, targets, temperature, logprobs, entropies));
  }

  @Override
  public void logitsBackward(
      long logitsGradient, long hidden, long rows, long hiddenGradient, long headGradient) {
    NativeKernels.check(
        hirkernels.hir_model_logits_backward(
            model(), logitsGradient, shape.vocab(), hidden, rows, hiddenGradient, headGradient));
  }

  private long model() {
    if (model == 0) {
      throw new IllegalStateException("this model is closed");
    }
    return model;
  }

  @Override
  public void release(long small) {
    hirkernels.hir_model_release(model(), small);
  }

  @Override
  public void close() {
    if (model != 0) {
      hirkernels.hir_model_free(model);
      model = 0;
    }
  }
}
