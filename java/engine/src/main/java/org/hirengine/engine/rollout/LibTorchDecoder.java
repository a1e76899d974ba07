package org.hirengine.engine.rollout;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.model.LayerWeights;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.RotaryTable;
import org.hirengine.engine.runtime.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * Decoding by LibTorch's operators: the reference, and what runs where no native decoder does.
 *
 * <p>Scratch tensors are made once and written by out-variants; views of them are remade only when
 * the number of rows or the width of the cache in use changes. Each row has its own copy of its
 * prompt's keys and values.
 */
final class LibTorchDecoder implements Decoder {

  /**
   * Views of the cache are multiples of this many tokens wide, so that they can be reused for many
   * steps.
   */
  private static final int WIDTH_STEP = 16;

  private final Policy policy;
  private final ModelConfig config;
  private final ScalarType type;
  private final List<Tensor> transposed = new ArrayList<>();
  private final Tensor head;

  private int places;
  private int capacity;
  private int[] lengths = new int[0];
  private @Nullable Buffers buffers;
  private @Nullable Views views;

  LibTorchDecoder(Policy policy) {
    this.policy = policy;
    this.config = policy.config();
    this.type = Tensors.dtype(policy.embedding());
    for (int i = 0; i < config.layers(); i++) {
      LayerWeights w = policy.layer(i);
      for (Tensor weight : List.of(w.qkv(), w.output(), w.gateUp(), w.down())) {
        transposed.add(Tensors.own(weight.detach().t()));
      }
    }
    head = Tensors.own(policy.headWeight().detach().t());
  }

  /**
   * Everything of fixed size.
   *
   * @param cache [layers, places, capacity, 2 * kvHeads * headDim], zeros at first: attention gives
   *     what lies beyond a row's end the weight 0, which a NaN there would survive
   * @param mask float[places, capacity], 0 where a row has a token, else -inf
   * @param cosines [capacity, 1, headDim], both halves the same
   * @param sines [capacity, 1, headDim], the first half negated
   * @param normWeights [heads + kvHeads, headDim] per layer, Qwen3 only
   */
  private record Buffers(
      Tensor cache,
      Tensor mask,
      Tensor cosines,
      Tensor sines,
      Tensor x,
      Tensor qkv,
      Tensor gateUp,
      Tensor logits,
      Tensor tokens,
      Tensor positions,
      Tensor slots,
      List<Tensor> normWeights)
      implements AutoCloseable {
    @Override
    public void close() {
      List.of(cache, mask, cosines, sines, x, qkv, gateUp, logits, tokens, positions, slots)
          .forEach(Tensor::close);
      normWeights.forEach(Tensor::close);
    }
  }

  /**
   * Views of the buffers for a number of rows.
   *
   * @param caches of each layer, the tokens of all places, concatenated
   * @param keys of each layer, [rows, kvHeads, width, headDim]
   * @param values of each layer, [rows, kvHeads, width, headDim]
   */
  private record Views(
      int rows,
      int width,
      Tensor x,
      Tensor qkv,
      Tensor queryKey,
      Tensor query,
      Tensor keyValue,
      Tensor gateUp,
      Tensor gate,
      Tensor up,
      Tensor logits,
      Tensor tokens,
      Tensor positions,
      Tensor slots,
      Tensor mask,
      Tensor maskCells,
      List<Tensor> caches,
      List<Tensor> keys,
      List<Tensor> values,
      PointerScope scope) {}

  @Override
  public void begin(int wantedPlaces, int wantedCapacity) {
    int rounded = (wantedCapacity + WIDTH_STEP - 1) / WIDTH_STEP * WIDTH_STEP;
    if (buffers == null || wantedPlaces > places || rounded > capacity) {
      dropBuffers();
      places = Math.max(places, wantedPlaces);
      capacity = Math.max(capacity, rounded);
      buffers = allocate();
    }
    lengths = new int[places];
    buffers.mask().fill_(new Scalar(Double.NEGATIVE_INFINITY));
    for (int i = 0; i < buffers.normWeights().size(); i++) {
      packNorms(policy.layer(i), buffers.normWeights().get(i));
    }
  }

  private Buffers allocate() {
    try (PointerScope scope = new PointerScope()) {
      int half = config.headDim() / 2;
      RotaryTable rotary = policy.rotary(Math.min(capacity, config.maxPositions()));
      Tensor cos = rotary.cosines();
      Tensor sin = rotary.sines();
      Tensor cosines = torch.cat(new TensorVector(cos, cos), 1).view(-1, 1, 2L * half);
      Tensor sines = torch.cat(new TensorVector(sin.neg(), sin), 1).view(-1, 1, 2L * half);
      List<Tensor> norms = new ArrayList<>();
      for (int i = 0; config.qkNorm() && i < config.layers(); i++) {
        norms.add(own(type, config.heads() + config.kvHeads(), config.headDim()));
      }
      Tensor cache = own(type, config.layers(), places, capacity, cacheWidth());
      cache.zero_();
      return new Buffers(
          cache,
          own(type, places, capacity),
          Tensors.own(cosines),
          Tensors.own(sines),
          own(type, places, config.hiddenSize()),
          own(type, places, config.qkvSize()),
          own(type, places, 2L * config.intermediateSize()),
          own(type, places, config.vocabSize()),
          own(ScalarType.Long, places),
          own(ScalarType.Long, places),
          own(ScalarType.Long, places),
          norms);
    }
  }

  private Tensor own(ScalarType dtype, long... shape) {
    return Tensors.own(Tensors.empty(policy.device(), dtype, shape));
  }

  /** Keys and values of one token in one layer. */
  @Override
  public long tokenBytes() {
    return config.layers() * cacheWidth() * policy.computeType().bytes;
  }

  private long cacheWidth() {
    return 2L * config.kvHeads() * config.headDim();
  }

  private void packNorms(LayerWeights w, Tensor target) {
    if (w.queryNorm() != null && w.keyNorm() != null) {
      try (PointerScope scope = new PointerScope()) {
        target.narrow(0, 0, config.heads()).copy_(w.queryNorm());
        target.narrow(0, config.heads(), config.kvHeads()).copy_(w.keyNorm());
      }
    }
  }

  @Override
  public void admit(Prefill prefill, int prompt, int first, int count) {
    int length = prefill.lengths()[prompt];
    try (PointerScope scope = new PointerScope()) {
      Tensor source = prefill.keyValues().narrow(1, prefill.starts()[prompt], length).unsqueeze(1);
      rows(buffers().cache(), 1, first, count).narrow(2, 0, length).copy_(source);
      Tensor mask = rows(buffers().mask(), 0, first, count);
      mask.fill_(new Scalar(Double.NEGATIVE_INFINITY));
      mask.narrow(1, 0, length).zero_();
    }
    for (int place = first; place < first + count; place++) {
      lengths[place] = length;
    }
  }

  @Override
  public void move(int from, int to) {
    int length = lengths[from];
    try (PointerScope scope = new PointerScope()) {
      Tensor cache = buffers().cache();
      rows(cache, 1, to, 1)
          .narrow(2, 0, length)
          .copy_(rows(cache, 1, from, 1).narrow(2, 0, length));
      rows(buffers().mask(), 0, to, 1).copy_(rows(buffers().mask(), 0, from, 1));
    }
    lengths[to] = length;
  }

  private static Tensor rows(Tensor tensor, int dimension, long first, long count) {
    return tensor.narrow(dimension, first, count);
  }

  @Override
  public Tensor step(long[] tokens, int rows) {
    Views v = views(rows);
    long[] positions = new long[rows];
    long[] slots = new long[rows];
    for (int i = 0; i < rows; i++) {
      positions[i] = lengths[i];
      slots[i] = (long) i * capacity + lengths[i];
      lengths[i]++;
    }
    write(v.tokens(), tokens, rows);
    write(v.positions(), positions, rows);
    write(v.slots(), slots, rows);
    try (PointerScope scope = new PointerScope()) {
      v.maskCells().index_fill_(0, v.slots(), new Scalar(0.0));
      torch.index_select_out(v.x(), policy.embedding(), 0, v.tokens());
      Tensor cosines = buffers().cosines().index_select(0, v.positions());
      Tensor sines = buffers().sines().index_select(0, v.positions());
      TensorOptional mask = new TensorOptional(v.mask());
      for (int i = 0; i < config.layers(); i++) {
        layer(i, v, cosines, sines, mask);
      }
      torch.mm_out(v.logits(), norm(v.x(), policy.finalNorm()), head);
    }
    return v.logits();
  }

  private void layer(int i, Views v, Tensor cosines, Tensor sines, TensorOptional mask) {
    LayerWeights w = policy.layer(i);
    try (PointerScope scope = new PointerScope()) {
      Tensor normed = norm(v.x(), w.inputNorm());
      if (w.qkvBias() == null) {
        torch.mm_out(v.qkv(), normed, transposed.get(4 * i));
      } else {
        torch.addmm_out(v.qkv(), w.qkvBias(), normed, transposed.get(4 * i));
      }
      if (config.qkNorm()) {
        Tensor unit =
            torch.rms_norm(
                v.queryKey(),
                new long[] {config.headDim()},
                new TensorOptional(),
                new DoubleOptional(config.rmsNormEps()));
        torch.mul_out(v.queryKey(), unit, buffers().normWeights().get(i));
      }
      Tensor swapped = torch.roll(v.queryKey(), new long[] {config.headDim() / 2}, 2);
      v.queryKey().mul_(cosines).addcmul_(swapped, sines);
      v.caches().get(i).index_copy_(0, v.slots(), v.keyValue());
      Tensor mixed =
          torch.scaled_dot_product_attention(
              v.query(),
              v.keys().get(i),
              v.values().get(i),
              mask,
              0.0,
              false,
              new DoubleOptional(),
              config.heads() != config.kvHeads());
      v.x().addmm_(mixed.reshape(v.rows(), -1), transposed.get(4 * i + 1));
      torch.mm_out(v.gateUp(), norm(v.x(), w.postNorm()), transposed.get(4 * i + 2));
      torch.silu_(v.gate()).mul_(v.up());
      v.x().addmm_(v.gate(), transposed.get(4 * i + 3));
    }
  }

  private Tensor norm(Tensor x, Tensor weight) {
    return torch.rms_norm(
        x,
        new long[] {config.hiddenSize()},
        new TensorOptional(weight),
        new DoubleOptional(config.rmsNormEps()));
  }

  private void write(Tensor target, long[] values, int count) {
    if (target.is_cpu()) {
      target.data_ptr_long().put(values, 0, count);
    } else {
      try (Tensor host = Tensors.of(Arrays.copyOf(values, count))) {
        target.copy_(host);
      }
    }
  }

  private Views views(int rows) {
    int longest = 0;
    for (int i = 0; i < rows; i++) {
      longest = Math.max(longest, lengths[i] + 1);
    }
    if (longest > capacity) {
      throw new IllegalStateException("a row has outgrown its place of " + capacity + " tokens");
    }
    int width = (longest + WIDTH_STEP - 1) / WIDTH_STEP * WIDTH_STEP;
    if (views == null || views.rows() != rows || views.width() != width) {
      dropViews();
      views = makeViews(rows, width);
    }
    return views;
  }

  private Views makeViews(int rows, int width) {
    Buffers b = buffers();
    int heads = config.heads();
    int kvHeads = config.kvHeads();
    long dim = config.headDim();
    PointerScope scope = new PointerScope();
    try {
      Tensor qkv = rows(b.qkv(), 0, 0, rows);
      Tensor queryKey = qkv.narrow(1, 0, (heads + kvHeads) * dim).view(rows, heads + kvHeads, dim);
      Tensor gateUp = rows(b.gateUp(), 0, 0, rows);
      List<Tensor> caches = new ArrayList<>();
      List<Tensor> keys = new ArrayList<>();
      List<Tensor> values = new ArrayList<>();
      long layerSize = (long) places * capacity * cacheWidth();
      long[] shape = {rows, kvHeads, width, dim};
      long[] strides = {capacity * cacheWidth(), dim, cacheWidth(), 1};
      for (int i = 0; i < config.layers(); i++) {
        caches.add(b.cache().select(0, i).view(-1, cacheWidth()));
        keys.add(b.cache().as_strided(shape, strides, new LongOptional(i * layerSize)));
        values.add(
            b.cache().as_strided(shape, strides, new LongOptional(i * layerSize + kvHeads * dim)));
      }
      return new Views(
          rows,
          width,
          rows(b.x(), 0, 0, rows),
          qkv,
          queryKey,
          queryKey.narrow(1, 0, heads).unsqueeze(2),
          qkv.narrow(1, heads * dim, cacheWidth()),
          gateUp,
          gateUp.narrow(1, 0, config.intermediateSize()),
          gateUp.narrow(1, config.intermediateSize(), config.intermediateSize()),
          rows(b.logits(), 0, 0, rows),
          rows(b.tokens(), 0, 0, rows),
          rows(b.positions(), 0, 0, rows),
          rows(b.slots(), 0, 0, rows),
          rows(b.mask(), 0, 0, rows).narrow(1, 0, width).view(rows, 1, 1, width),
          b.mask().view(-1),
          caches,
          keys,
          values,
          scope.extend());
    } finally {
      scope.close();
    }
  }

  private Buffers buffers() {
    if (buffers == null) {
      throw new IllegalStateException("begin() comes first");
    }
    return buffers;
  }

  private void dropViews() {
    if (views != null) {
      views.scope().close();
      views = null;
    }
  }

  private void dropBuffers() {
    dropViews();
    if (buffers != null) {
      buffers.close();
      buffers = null;
    }
  }

  @Override
  public void close() {
    dropBuffers();
    transposed.forEach(Tensor::close);
    transposed.clear();
    head.close();
  }
}
