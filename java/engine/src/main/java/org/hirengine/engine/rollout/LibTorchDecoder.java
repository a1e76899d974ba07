package org.hirengine.engine.rollout;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.hirengine.engine.model.LibTorchLayers;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.ModelMemory;
import org.jspecify.annotations.Nullable;

/**
 * Decoding by LibTorch's operators, if no native decoder runs: simple rather than fast. Each row
 * has its own copy of its prompt's keys and values.
 */
final class LibTorchDecoder implements Decoder {

  private final Policy policy;
  private final ModelConfig config;

  /** Tokens of each place. */
  private int[] lengths = new int[0];

  /**
   * [layers, places, capacity, 2 * kvHeads * headDim]: keys, then values; zeros at first: attention
   * gives what lies beyond a row's end the weight 0, but 0 times NaN is NaN.
   */
  private @Nullable Tensor cache;

  private @Nullable Tensor logits;

  LibTorchDecoder(Policy policy) {
    this.policy = policy;
    this.config = policy.config();
  }

  @Override
  public void begin(int places, int capacity) {
    Tensor old = cache;
    if (old == null || old.size(1) < places || old.size(2) < capacity) {
      close();
      cache =
          Tensors.own(
              Tensors.zeros(
                  policy.device(),
                  Tensors.dtype(policy.embedding()),
                  config.layers(),
                  places,
                  capacity,
                  2 * keyWidth()));
    }
    lengths = new int[places];
  }

  private long keyWidth() {
    return (long) config.kvHeads() * config.headDim();
  }

  @Override
  public boolean exact() {
    return false;
  }

  @Override
  public long pageBytes() {
    return 2L * config.layers() * keyWidth() * policy.computeType().bytes * ModelMemory.PAGE_TOKENS;
  }

  @Override
  public long rowBytes(int capacity) {
    return ModelMemory.pages(capacity) * pageBytes();
  }

  @Override
  public long pages() {
    return 0;
  }

  @Override
  public void release() {
    // Its cache is one block, which LibTorch would have to find anew.
  }

  @Override
  public Stored store(Prefill prefill, int prompt) {
    return new Stored() {
      @Override
      public void admit(int first, int count) {
        LibTorchDecoder.this.admit(prefill, prompt, first, count);
      }

      @Override
      public void close() {
        // Rows have copies, and the prefill has an owner.
      }
    };
  }

  @Override
  public void keep(int rows) {
    // A place is written anew by whoever gets it.
  }

  private void admit(Prefill prefill, int prompt, int first, int count) {
    int length = prefill.lengths()[prompt];
    try (PointerScope scope = new PointerScope()) {
      Tensor source = prefill.keyValues().narrow(1, prefill.starts()[prompt], length);
      cache().narrow(1, first, count).narrow(2, 0, length).copy_(source.unsqueeze(1));
    }
    Arrays.fill(lengths, first, first + count, length);
  }

  @Override
  public void move(int from, int to) {
    try (PointerScope scope = new PointerScope()) {
      cache().select(1, to).copy_(cache().select(1, from));
    }
    lengths[to] = lengths[from];
  }

  @Override
  public void draw(long[] tokens, int rows, TokenSampler draws, RolloutParams params, long key) {
    draws.sample(step(tokens, rows), params, key);
  }

  /** Logits of the next token, [rows, V] in the compute type; valid until the next call. */
  private Tensor step(long[] tokens, int rows) {
    int[] at = Arrays.copyOf(lengths, rows);
    int width = 0;
    for (int i = 0; i < rows; i++) {
      width = Math.max(width, ++lengths[i]);
    }
    if (logits != null) {
      logits.close();
    }
    try (PointerScope scope = new PointerScope()) {
      Tensor positions = Tensors.to(policy.device(), Tensors.ofInts(at));
      Tensor ids = Tensors.to(policy.device(), Tensors.of(Arrays.copyOf(tokens, rows)));
      Tensor slots = positions.view(-1, 1, 1).expand(rows, 1, 2 * keyWidth());
      int[] all = new int[width];
      Arrays.setAll(all, t -> t);
      Tensor keys = Tensors.to(policy.device(), Tensors.ofInts(all));
      Tensor queries = positions.view(-1, 1, 1, 1);
      Map<Integer, Tensor> masks = new HashMap<>();
      for (int window : config.windows()) {
        masks.computeIfAbsent(window, w -> LibTorchLayers.seen(keys, queries, w));
      }
      Tensor x = Tensors.own(policy.embedding().index_select(0, ids));
      try (LibTorchLayers layers = new LibTorchLayers(policy, positions, width)) {
        for (int i = 0; i < config.layers(); i++) {
          try (PointerScope inner = new PointerScope()) {
            Tensor layer = cache().select(0, i).narrow(0, 0, rows);
            Tensor mask = masks.get(config.windows().get(i));
            Tensor next = layers.layer(i, x, (q, v) -> attend(layer, slots, mask, q, v));
            x.close();
            x = Tensors.own(next);
          }
        }
        logits = Tensors.own(policy.passes().logits(layers.finalNorm(x)));
      }
      x.close();
    }
    return logits;
  }

  /** Attention of one token per row, after storing its key and value in the row's slot. */
  private Tensor attend(Tensor layer, Tensor slots, Tensor mask, Tensor queryKeys, Tensor values) {
    long rows = layer.size(0);
    long queries = queryKeys.size(1) - keyWidth();
    TensorVector parts = queryKeys.split_with_sizes(new long[] {queries, keyWidth()}, 1);
    layer.scatter_(1, slots, torch.cat(new TensorVector(parts.get(1), values), 1).unsqueeze(1));
    Tensor seen =
        layer
            .narrow(1, 0, mask.size(3))
            .view(rows, mask.size(3), 2, config.kvHeads(), config.headDim());
    Tensor mixed =
        torch.scaled_dot_product_attention(
            parts.get(0).view(rows, config.heads(), 1, config.headDim()),
            seen.select(2, 0).transpose(1, 2),
            seen.select(2, 1).transpose(1, 2),
            new TensorOptional(mask),
            0.0,
            false,
            new DoubleOptional(),
            config.heads() != config.kvHeads());
    return mixed.reshape(rows, queries);
  }

  private Tensor cache() {
    if (cache == null) {
      throw new IllegalStateException("begin() comes first");
    }
    return cache;
  }

  @Override
  public void close() {
    for (Tensor tensor : Arrays.asList(cache, logits)) {
      if (tensor != null) {
        tensor.close();
      }
    }
    cache = null;
    logits = null;
  }
}
