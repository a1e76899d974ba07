package org.hirengine.kernels;

import org.hirengine.kernels.global.hirkernels;
import org.jspecify.annotations.Nullable;

/** {@link DecodeKernel} over the decoder of {@code native/include/hir_kernels.h}. */
final class NativeDecodeKernel implements DecodeKernel {

  private long decoder;

  NativeDecodeKernel(long model) {
    long[] made = new long[1];
    NativeKernels.check(hirkernels.hir_decoder_create(model, made));
    decoder = made[0];
  }

  @Override
  public long storePrompt(
      long keys, long values, long layerStride, long tokenStride, long length, DType dtype) {
    long[] made = new long[1];
    NativeKernels.check(
        hirkernels.hir_decoder_prompt(
            decoder(), keys, values, layerStride, tokenStride, length, dtype.code, made));
    return made[0];
  }

  @Override
  public void freePrompt(long prompt) {
    hirkernels.hir_decoder_prompt_free(decoder(), prompt);
  }

  @Override
  public void admit(long prompt, int first, int count) {
    NativeKernels.check(hirkernels.hir_decoder_admit(decoder(), prompt, first, count));
  }

  @Override
  public void move(int from, int to) {
    NativeKernels.check(hirkernels.hir_decoder_move(decoder(), from, to));
  }

  @Override
  public void keep(int rows) {
    hirkernels.hir_decoder_keep(decoder(), rows);
  }

  @Override
  public long pages() {
    return hirkernels.hir_decoder_pages(decoder());
  }

  @Override
  public void release(long small) {
    hirkernels.hir_decoder_release(decoder(), small);
  }

  @Override
  public void step(long tokens, int rows, long logits, long rowStride) {
    NativeKernels.check(hirkernels.hir_decoder_step(decoder(), tokens, rows, logits, rowStride));
  }

  @Override
  public void draw(
      long[] tokens,
      int rows,
      Kernels.Filters filters,
      int vocabulary,
      long key,
      int[] counters,
      long[] drawn,
      float[] logprobs,
      float @Nullable [] entropies) {
    NativeKernels.check(
        hirkernels.hir_decoder_draw(
            decoder(),
            tokens,
            rows,
            filters.temperature(),
            filters.topK(),
            filters.topP(),
            filters.minP(),
            vocabulary,
            key,
            counters,
            drawn,
            logprobs,
            entropies));
  }

  private long decoder() {
    if (decoder == 0) {
      throw new IllegalStateException("this decoder is closed");
    }
    return decoder;
  }

  @Override
  public void close() {
    if (decoder != 0) {
      hirkernels.hir_decoder_free(decoder);
      decoder = 0;
    }
  }
}
