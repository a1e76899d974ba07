package org.hirengine.engine.rollout;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.Rows;

/** Draws one token per row through the sampling kernel; its native buffers are allocated once. */
final class TokenSampler implements AutoCloseable {

  private final int vocabulary;
  private final Kernels kernels;
  private final Device device;
  private final Tensor counters;
  private final Tensor drawn;
  private final Tensor drawnLogprobs;
  private final Tensor drawnEntropies;
  private final int[] counterWords;

  /** Tokens of the last {@link #sample}. */
  final long[] tokens;

  /** Log-probs of the last {@link #sample}. */
  final float[] logprobs;

  /** Entropies of what they were drawn from, if the last {@link #sample} was to give them. */
  final float[] entropies;

  /**
   * @param vocabulary only ids below it are drawn
   */
  TokenSampler(Kernels kernels, Device device, int rows, int vocabulary) {
    this.vocabulary = vocabulary;
    this.kernels = kernels;
    this.device = device;
    counters = Tensors.own(Tensors.empty(device, ScalarType.Int, 4L * rows));
    drawn = Tensors.own(Tensors.empty(device, ScalarType.Long, rows));
    drawnLogprobs = Tensors.own(Tensors.empty(device, ScalarType.Float, rows));
    drawnEntropies = Tensors.own(Tensors.empty(device, ScalarType.Float, rows));
    counterWords = new int[4 * rows];
    tokens = new long[rows];
    logprobs = new float[rows];
    entropies = new float[rows];
  }

  int capacity() {
    return tokens.length;
  }

  /** Sets the random number for row {@code index} of the next {@link #sample}. */
  void counter(int index, RandomStream random, int position, int row, int promptId) {
    random.counter(position, row, promptId, counterWords, 4 * index);
  }

  /** Only ids below it are drawn. */
  int vocabulary() {
    return vocabulary;
  }

  /** The values set by {@link #counter}, four words per row. */
  int[] counters() {
    return counterWords;
  }

  /** One token for each of {@code logits}' rows. */
  void sample(Tensor logits, RolloutParams params, long key) {
    draw(logits, (int) logits.size(0), logits.stride(0), params, key);
  }

  /** {@code count} tokens from the same logits, [1, V]. */
  void sampleSame(Tensor logits, int count, RolloutParams params, long key) {
    draw(logits, count, 0, params, key);
  }

  private static Rows rows(Tensor logits, int count, long columns, long stride) {
    DType dtype = Tensors.dtype(logits) == ScalarType.BFloat16 ? DType.BFLOAT16 : DType.FLOAT32;
    return new Rows(Tensors.address(logits), count, columns, stride, dtype);
  }

  private void draw(Tensor logits, int count, long stride, RolloutParams params, long key) {
    long all = logits.size(1);
    Rows rows = rows(logits, count, Math.min(vocabulary, all), stride);
    long spread = params.entropies() ? Tensors.address(drawnEntropies) : 0;
    if (device.kind() == Device.Kind.CPU) {
      counters.data_ptr_int().put(counterWords, 0, 4 * count);
    } else {
      try (Tensor host = Tensors.empty(ScalarType.Int, counterWords.length)) {
        host.data_ptr_int().put(counterWords, 0, counterWords.length);
        counters.copy_(host);
      }
    }
    kernels.sample(
        device,
        rows,
        params.filters(),
        key,
        Tensors.address(counters),
        Tensors.address(drawn),
        Tensors.address(drawnLogprobs),
        spread);
    if (vocabulary < all) {
      // Among all ids, as scoring computes them, by the same kernel.
      kernels.tokenLogprob(
          device,
          rows(logits, count, all, stride),
          Tensors.address(drawn),
          params.temperature() == 0 ? 1 : params.temperature(),
          Tensors.address(drawnLogprobs),
          spread);
    }
    kernels.synchronize(device);
    if (device.kind() == Device.Kind.CPU) {
      drawn.data_ptr_long().get(tokens, 0, count);
      drawnLogprobs.data_ptr_float().get(logprobs, 0, count);
      drawnEntropies.data_ptr_float().get(entropies, 0, count);
    } else {
      try (Tensor hostTokens = drawn.cpu();
          Tensor hostLogprobs = drawnLogprobs.cpu();
          Tensor hostEntropies = drawnEntropies.cpu()) {
        hostTokens.data_ptr_long().get(tokens, 0, count);
        hostLogprobs.data_ptr_float().get(logprobs, 0, count);
        hostEntropies.data_ptr_float().get(entropies, 0, count);
      }
    }
  }

  @Override
  public void close() {
    counters.close();
    drawn.close();
    drawnLogprobs.close();
    drawnEntropies.close();
  }
}
