package org.hirengine.engine.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.WeightAddresses;

/**
 * The position of every parameter in the flat buffer.
 *
 * <p>q, k and v are adjacent, and so are gate and up, so that one view of the buffer is the fused
 * weight of one GEMM. Everything else begins at a multiple of 16 elements (64 bytes in fp32); the
 * gaps stay zero, also in the gradients, and so add nothing to a norm.
 */
final class ParameterLayout {

  /** One parameter: HF shape, and its first element's index in the buffer. */
  record Slice(long offset, long[] shape) {
    long count() {
      long count = 1;
      for (long size : shape) {
        count *= size;
      }
      return count;
    }
  }

  static final String EMBEDDING = "model.embed_tokens.weight";
  static final String NORM = "model.norm.weight";
  static final String HEAD = "lm_head.weight";

  private static final String INPUT_NORM = "input_layernorm.weight";
  private static final long ALIGNMENT = 16;

  private final Map<String, Slice> slices = new LinkedHashMap<>();
  private final boolean matrices;
  private long size;

  /** Of all parameters. */
  ParameterLayout(ModelConfig c) {
    this(c, true);
  }

  /**
   * @param matrices whether matrices are included, or only norms and biases
   */
  ParameterLayout(ModelConfig c, boolean matrices) {
    this.matrices = matrices;
    add(EMBEDDING, c.vocabSize(), c.hiddenSize());
    for (int i = 0; i < c.layers(); i++) {
      addLayer(c, layer(i));
    }
    add(NORM, c.hiddenSize());
    if (!c.tied()) {
      add(HEAD, c.vocabSize(), c.hiddenSize());
    }
    align();
  }

  private void addLayer(ModelConfig c, String layer) {
    long query = (long) c.heads() * c.headDim();
    long key = (long) c.kvHeads() * c.headDim();
    add(layer + INPUT_NORM, c.hiddenSize());
    add(layer + "self_attn.q_proj.weight", query, c.hiddenSize());
    append(layer + "self_attn.k_proj.weight", key, c.hiddenSize());
    append(layer + "self_attn.v_proj.weight", key, c.hiddenSize());
    if (c.qkvBias()) {
      add(layer + "self_attn.q_proj.bias", query);
      append(layer + "self_attn.k_proj.bias", key);
      append(layer + "self_attn.v_proj.bias", key);
    }
    if (c.qkNorm()) {
      add(layer + "self_attn.q_norm.weight", c.headDim());
      add(layer + "self_attn.k_norm.weight", c.headDim());
    }
    add(layer + "self_attn.o_proj.weight", c.hiddenSize(), query);
    add(layer + "post_attention_layernorm.weight", c.hiddenSize());
    add(layer + "mlp.gate_proj.weight", c.intermediateSize(), c.hiddenSize());
    append(layer + "mlp.up_proj.weight", c.intermediateSize(), c.hiddenSize());
    add(layer + "mlp.down_proj.weight", c.hiddenSize(), c.intermediateSize());
  }

  /** Names of a layer's projections: q, k, v, output, gate, up, down. */
  static List<String> projections(int index) {
    String attention = layer(index) + "self_attn.";
    String mlp = layer(index) + "mlp.";
    return List.of(
        attention + "q_proj.weight",
        attention + "k_proj.weight",
        attention + "v_proj.weight",
        attention + "o_proj.weight",
        mlp + "gate_proj.weight",
        mlp + "up_proj.weight",
        mlp + "down_proj.weight");
  }

  static String layer(int index) {
    return "model.layers." + index + ".";
  }

  private void add(String name, long... shape) {
    align();
    append(name, shape);
  }

  private void append(String name, long... shape) {
    if (shape.length > 1 && !matrices) {
      return;
    }
    Slice slice = new Slice(size, shape);
    slices.put(name, slice);
    size += slice.count();
  }

  private void align() {
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** By HF name, in the order of the buffer. */
  Map<String, Slice> slices() {
    return slices;
  }

  Slice slice(String name) {
    Slice slice = slices.get(name);
    if (slice == null) {
      throw new IllegalArgumentException("the model has no parameter " + name);
    }
    return slice;
  }

  boolean has(String name) {
    return slices.containsKey(name);
  }

  /** Addresses of the parameters, in the form that kernels take, for a buffer of this layout. */
  WeightAddresses addresses(long buffer, int elementBytes) {
    ToLongFunction<String> address =
        name -> slices.containsKey(name) ? buffer + slice(name).offset() * elementBytes : 0;
    List<WeightAddresses.Layer> layers = new ArrayList<>();
    for (int i = 0; slices.containsKey(layer(i) + INPUT_NORM); i++) {
      String layer = layer(i);
      layers.add(
          new WeightAddresses.Layer(
              address.applyAsLong(layer + INPUT_NORM),
              address.applyAsLong(layer + "self_attn.q_proj.weight"),
              address.applyAsLong(layer + "self_attn.q_proj.bias"),
              address.applyAsLong(layer + "self_attn.q_norm.weight"),
              address.applyAsLong(layer + "self_attn.k_norm.weight"),
              address.applyAsLong(layer + "self_attn.o_proj.weight"),
              address.applyAsLong(layer + "post_attention_layernorm.weight"),
              address.applyAsLong(layer + "mlp.gate_proj.weight"),
              address.applyAsLong(layer + "mlp.down_proj.weight")));
    }
    return new WeightAddresses(
        address.applyAsLong(EMBEDDING),
        address.applyAsLong(NORM),
        address.applyAsLong(slices.containsKey(HEAD) ? HEAD : EMBEDDING),
        layers);
  }

  /**
   * One parameter of a flat buffer, or several of adjacent rows as one.
   *
   * @return a view; the caller closes it
   */
  Tensor view(Tensor flat, String... names) {
    Slice first = slice(names[0]);
    long[] shape = first.shape().clone();
    long count = first.count();
    for (int i = 1; i < names.length; i++) {
      Slice next = slice(names[i]);
      shape[0] += next.shape()[0];
      count += next.count();
    }
    try (Tensor part = flat.narrow(0, first.offset(), count)) {
      return Tensors.own(part.view(shape));
    }
  }

  /** See {@link Policy#ranges}. */
  List<Policy.Range> ranges(long least) {
    List<Policy.Range> ranges = new ArrayList<>();
    long first = 0;
    boolean matrices = false;
    for (Map.Entry<String, Slice> entry : slices.entrySet()) {
      Slice slice = entry.getValue();
      boolean matrix =
          slice.shape().length == 2 && slice.count() >= least && !entry.getKey().equals(EMBEDDING);
      if (matrix != matrices && slice.offset() > first) {
        ranges.add(new Policy.Range(first, slice.offset() - first, matrices));
        first = slice.offset();
      }
      matrices = matrix;
    }
    ranges.add(new Policy.Range(first, size - first, matrices));
    return ranges;
  }

  /** Elements of the flat buffer. */
  long size() {
    return size;
  }
}
