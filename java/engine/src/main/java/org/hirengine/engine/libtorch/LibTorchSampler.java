package org.hirengine.engine.libtorch;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.StringViewOptional;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels.Filters;
import org.hirengine.kernels.Rows;

/** Sampling by softmax, sort and cumulative sums in double precision. */
final class LibTorchSampler {

  private static final String KERNEL = "sample";

  /** Logits processed together; temporaries take about ten times as many doubles. */
  private static final long CHUNK = 4 << 20;

  private final Device device;
  private final Filters filters;
  private final long key;

  LibTorchSampler(Device device, Filters filters, long key) {
    this.device = device;
    this.filters = filters;
    this.key = key;
    Checks.argument(
        filters.temperature() >= 0 && Double.isFinite(filters.temperature()),
        KERNEL,
        "temperature must be 0 or more",
        filters.temperature());
    Checks.argument(filters.topK() >= 0, KERNEL, "top-k must be 0 or more", filters.topK());
    Checks.argument(
        filters.topP() > 0 && filters.topP() <= 1,
        KERNEL,
        "top-p must be in (0, 1]",
        filters.topP());
    Checks.argument(
        filters.minP() >= 0 && filters.minP() <= 1,
        KERNEL,
        "min-p must be in [0, 1]",
        filters.minP());
  }

  void sample(Rows logits, long counters, long tokens, long logprobs, long entropies) {
    if (logits.rows() == 0) {
      return;
    }
    try (GradMode off = GradMode.disabled();
        PointerScope scope = new PointerScope()) {
      Tensor given = Blob.matrix(device, logits);
      Checks.logits(KERNEL, given);
      Tensor counterWords = Blob.vector(device, counters, ScalarType.Int, 4 * logits.rows());
      Tensor uniforms = uniforms(counterWords);
      Tensor drawn = Blob.vector(device, tokens, ScalarType.Long, logits.rows());
      Tensor drawnLogprobs = Blob.vector(device, logprobs, ScalarType.Float, logits.rows());
      long step = Math.max(1, CHUNK / logits.cols());
      for (long at = 0; at < logits.rows(); at += step) {
        long count = Math.min(step, logits.rows() - at);
        try (PointerScope inner = new PointerScope()) {
          Tensor x = given.narrow(0, at, count).to(ScalarType.Double);
          Tensor token =
              filters.temperature() == 0
                  ? x.argmax(new LongOptional(1), true)
                  : draw(x.div(temperature()), uniforms.narrow(0, at, count).unsqueeze(1));
          drawn.narrow(0, at, count).copy_(token.squeeze(1));
          Tensor all = torch.log_softmax(x.div(temperature()), 1);
          drawnLogprobs.narrow(0, at, count).copy_(all.gather(1, token).squeeze(1));
          if (entropies != 0) {
            Blob.vector(device, entropies + 4 * at, ScalarType.Float, count)
                .copy_(torch.special_entr(all.exp()).sum(1));
          }
        }
      }
    }
  }

  private Scalar temperature() {
    return new Scalar(filters.temperature() == 0 ? 1.0 : filters.temperature());
  }

  private Tensor uniforms(Tensor counters) {
    Tensor host = counters.cpu();
    int[] words = new int[(int) host.numel()];
    host.data_ptr_int().get(words, 0, words.length);
    Tensor uniforms = Tensors.empty(ScalarType.Double, words.length / 4);
    double[] values = new double[words.length / 4];
    for (int i = 0; i < values.length; i++) {
      values[i] = Philox.uniform(key, words, 4 * i);
    }
    uniforms.data_ptr_double().put(values, 0, values.length);
    return Tensors.to(device, uniforms);
  }

  /**
   * First token, in vocabulary order, at which the kept probability exceeds the uniform's share.
   */
  private Tensor draw(Tensor x, Tensor uniform) {
    Tensor p = torch.softmax(filtered(x), 1);
    Tensor upTo = p.cumsum(1);
    Tensor total = upTo.narrow(1, upTo.size(1) - 1, 1);
    Tensor token =
        torch.searchsorted(
            upTo, uniform.mul(total), false, true, new StringViewOptional(), new TensorOptional());
    // A uniform close to 1 may round up to the total: then the last kept token.
    Tensor ids = torch.arange(new Scalar(p.size(1))).to(token.device(), ScalarType.Long);
    Tensor last = ids.mul(p.gt(new Scalar(0))).amax(new long[] {1}, true);
    return torch.minimum(token, last);
  }

  /**
   * Tempered logits with -inf for what the filters remove; each filter works on the result of the
   * one before.
   */
  private Tensor filtered(Tensor x) {
    Tensor kept = x;
    if (filters.topK() > 0 && filters.topK() < x.size(1)) {
      // The k-th value and all that tie with it stay.
      Tensor smallest =
          kept.topk(filters.topK(), 1, true, true).get0().narrow(1, filters.topK() - 1, 1);
      kept = kept.masked_fill(kept.lt(smallest), minusInfinity());
    }
    if (filters.topP() < 1) {
      T_TensorTensor_T sorted = torch.softmax(kept, 1).sort(new BoolOptional(true), 1, true);
      Tensor before = sorted.get0().cumsum(1).sub(sorted.get0());
      Tensor beyond = before.ge(new Scalar(filters.topP()));
      Tensor removed = torch.zeros_like(beyond).scatter(1, sorted.get1(), beyond);
      kept = kept.masked_fill(removed, minusInfinity());
    }
    if (filters.minP() > 0) {
      Tensor limit = kept.amax(new long[] {1}, true).add(new Scalar(Math.log(filters.minP())));
      kept = kept.masked_fill(kept.lt(limit), minusInfinity());
    }
    return kept;
  }

  private static Scalar minusInfinity() {
    return new Scalar(Double.NEGATIVE_INFINITY);
  }
}
