package org.hirengine.engine.update;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.Kernels.AdamWBuffers;
import org.hirengine.kernels.MomentType;

/**
 * AdamW's two moments of every parameter, in the type that the configuration names.
 *
 * <p>8-bit moments are of matrices alone, the embedding excepted: rows of tokens that seldom occur
 * and small vectors would share a scale with much larger numbers (bitsandbytes leaves them out,
 * too). Theirs are bfloat16.
 */
final class MomentBuffers implements AutoCloseable {

  /** A part of the policy's flat buffers, with where its moments lie. */
  private record Part(Policy.Range range, MomentType type, long at, long scalesAt) {}

  private static final String OTHERS = "_bfloat16";

  private final MomentType type;
  private final List<Part> parts = new ArrayList<>();
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();

  MomentBuffers(Policy policy, MomentType type) {
    this.type = type;
    long coded = 0;
    long others = 0;
    long scales = 0;
    for (Policy.Range range : ranges(policy, type)) {
      if (type == MomentType.INT8 && range.matrices()) {
        parts.add(new Part(range, type, coded, scales));
        coded += range.count();
        scales += blocks(range);
      } else {
        parts.add(new Part(range, outside(type), others, 0));
        others += range.count();
      }
    }
    for (String name : List.of("m", "v")) {
      switch (type) {
        case FLOAT32 -> add(policy, name, ScalarType.Float, others);
        case BFLOAT16 -> add(policy, name, ScalarType.BFloat16, others);
        case INT8 -> {
          add(policy, name, ScalarType.Byte, coded);
          add(policy, name + "_scales", ScalarType.Float, scales);
          add(policy, name + OTHERS, ScalarType.BFloat16, others);
        }
      }
    }
  }

  /** Of parameters that are no large matrices. */
  private static MomentType outside(MomentType type) {
    return type == MomentType.INT8 ? MomentType.BFLOAT16 : type;
  }

  private static List<Policy.Range> ranges(Policy policy, MomentType type) {
    return type == MomentType.INT8
        ? policy.ranges(Optimizer.LEAST_MATRIX)
        : List.of(new Policy.Range(0, policy.size(), true));
  }

  private static long blocks(Policy.Range range) {
    return (range.count() + MomentType.BLOCK - 1) / MomentType.BLOCK;
  }

  private void add(Policy policy, String name, ScalarType scalarType, long count) {
    if (count > 0) { // an adapter has no parts in blocks
      tensors.put(name, Tensors.own(Tensors.zeros(policy.device(), scalarType, count)));
    }
  }

  MomentType type() {
    return type;
  }

  /** All that has to be saved, by the names it is saved under. */
  Map<String, Tensor> tensors() {
    return tensors;
  }

  /** Bytes of the moments of a policy with these ranges of parameters. */
  static long bytes(List<Policy.Range> ranges, MomentType type) {
    long bytes = 0;
    for (Policy.Range range : ranges) {
      bytes +=
          type == MomentType.INT8 && range.matrices()
              ? 2 * (range.count() + Float.BYTES * blocks(range))
              : 2L * outside(type).bytes * range.count();
    }
    return bytes;
  }

  /** Steps all parameters. */
  void step(Policy policy, Kernels kernels, Kernels.AdamW config, double scale, long step) {
    Tensor low = policy.lowPrecision();
    long weights = low == null ? 0 : Tensors.address(low);
    Tensor residues = policy.residues();
    if (type == MomentType.FLOAT32 && residues == null) {
      kernels.adamw(
          policy.device(),
          Tensors.address(policy.masters()),
          Tensors.address(policy.gradients()),
          DType.FLOAT32,
          address("m"),
          address("v"),
          weights,
          policy.size(),
          config,
          scale,
          step);
      return;
    }
    long masters = residues == null ? Tensors.address(policy.masters()) : 0;
    long lows = residues == null ? 0 : Tensors.address(residues);
    long gradients = Tensors.address(policy.gradients());
    for (Part part : parts) {
      long first = part.range.first();
      boolean inBlocks = part.type == MomentType.INT8;
      String kind = type == MomentType.INT8 && !inBlocks ? OTHERS : "";
      kernels.adamw(
          policy.device(),
          new AdamWBuffers(
              masters == 0 ? 0 : masters + Float.BYTES * first,
              weights == 0 ? 0 : weights + DType.BFLOAT16.bytes * first,
              lows == 0 ? 0 : lows + Short.BYTES * first,
              gradients + Float.BYTES * first,
              DType.FLOAT32,
              part.type,
              address("m" + kind) + part.type.bytes * part.at,
              address("v" + kind) + part.type.bytes * part.at,
              inBlocks ? address("m_scales") + Float.BYTES * part.scalesAt : 0,
              inBlocks ? address("v_scales") + Float.BYTES * part.scalesAt : 0,
              part.range.count(),
              first),
          config,
          scale,
          step);
    }
  }

  private long address(String name) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new IllegalStateException("no moments " + name + " of type " + type);
    }
    return Tensors.address(tensor);
  }

  @Override
  public void close() {
    tensors.values().forEach(Tensor::close);
    tensors.clear();
  }
}
