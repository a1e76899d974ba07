package org.hirengine.engine.update;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongUnaryOperator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.distributed.ProcessGroup;
import org.hirengine.engine.distributed.Shards;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.Kernels.AdamWBuffers;
import org.hirengine.kernels.MomentType;

/**
 * AdamW's two moments of every parameter, in the type that the configuration names.
 *
 * <p>Only matrices other than the embedding have 8-bit moments: rows of rare tokens and small
 * vectors would share a scale with much larger numbers (bitsandbytes excludes them, too). Their
 * moments are bfloat16.
 */
final class MomentBuffers implements AutoCloseable {

  /** A part of the policy's flat buffers, with the position of its moments. */
  private record Part(Policy.Range range, MomentType type, long at, long scalesAt) {}

  /**
   * Moments under one name.
   *
   * @param here of this rank's parameters
   * @param dealt how all ranks' are dealt
   */
  private record Buffer(Tensor here, Shards dealt) {}

  private static final String OTHERS = "_bfloat16";

  private final MomentType type;
  private final List<Policy.Range> ranges;
  private final Shards shards;
  private final List<Part> parts = new ArrayList<>();
  private final Map<String, Buffer> buffers = new LinkedHashMap<>();

  /** Of this rank's shard of the policy's parameters. */
  MomentBuffers(Policy policy, MomentType type, Shards shards) {
    this.type = type;
    this.shards = shards;
    ranges = ranges(policy, type);
    long coded = coded(shards.first());
    long others = others(shards.first());
    long scales = scales(shards.first());
    for (Policy.Range range : mine()) {
      if (inBlocks(range)) {
        parts.add(
            new Part(range, type, coded(range.first()) - coded, scales(range.first()) - scales));
      } else {
        parts.add(new Part(range, outside(type), others(range.first()) - others, 0));
      }
    }
    for (String name : List.of("m", "v")) {
      switch (type) {
        case FLOAT32 -> add(policy, name, ScalarType.Float, this::others);
        case BFLOAT16 -> add(policy, name, ScalarType.BFloat16, this::others);
        case INT8 -> {
          add(policy, name, ScalarType.Byte, this::coded);
          add(policy, name + "_scales", ScalarType.Float, this::scales);
          add(policy, name + OTHERS, ScalarType.BFloat16, this::others);
        }
      }
    }
  }

  /**
   * How the parameters of a policy are dealt over ranks: no block of moments is cut. An adapter's
   * are so few that every rank keeps all.
   *
   * @param pieces what the parameters are cut into, a multiple of the ranks
   */
  static Shards deal(Policy policy, MomentType type, ProcessGroup group, int pieces) {
    if (policy.lora() != null) {
      return Shards.whole(policy.size());
    }
    List<Policy.Range> ranges = ranges(policy, type);
    return Shards.of(
        group,
        policy.size(),
        pieces,
        bound -> {
          Policy.Range range = holding(ranges, bound);
          return bound - (bound - range.first()) % MomentType.BLOCK;
        });
  }

  private static Policy.Range holding(List<Policy.Range> ranges, long element) {
    Policy.Range last = ranges.get(0);
    for (Policy.Range range : ranges) {
      if (range.first() <= element) {
        last = range;
      }
    }
    return last;
  }

  /**
   * The ranges, split where pieces begin: random rounding is keyed by the start of a part, and so
   * does not depend on the number of ranks.
   */
  private List<Policy.Range> mine() {
    List<Policy.Range> mine = new ArrayList<>();
    for (Shards.Piece piece : shards.pieces()) {
      for (Policy.Range range : ranges) {
        long first = Math.max(range.first(), piece.first());
        long end = Math.min(range.first() + range.count(), piece.first() + piece.count());
        if (first < end) {
          mine.add(new Policy.Range(first, end - first, range.matrices()));
        }
      }
    }
    return mine;
  }

  private boolean inBlocks(Policy.Range range) {
    return type == MomentType.INT8 && range.matrices();
  }

  /** Elements in blocks before a place of the flat buffers. */
  private long coded(long place) {
    return before(place, true, MomentBuffers::elements);
  }

  /** Scales of them. */
  private long scales(long place) {
    return before(place, true, MomentBuffers::blocks);
  }

  /** Elements that are not in blocks. */
  private long others(long place) {
    return before(place, false, MomentBuffers::elements);
  }

  private long before(long place, boolean blocks, LongUnaryOperator counted) {
    long count = 0;
    for (Policy.Range range : ranges) {
      if (inBlocks(range) == blocks && place > range.first()) {
        count += counted.applyAsLong(Math.min(range.count(), place - range.first()));
      }
    }
    return count;
  }

  private static long elements(long count) {
    return count;
  }

  private static long blocks(long count) {
    return (count + MomentType.BLOCK - 1) / MomentType.BLOCK;
  }

  /** Of parameters other than large matrices. */
  private static MomentType outside(MomentType type) {
    return type == MomentType.INT8 ? MomentType.BFLOAT16 : type;
  }

  private static List<Policy.Range> ranges(Policy policy, MomentType type) {
    return type == MomentType.INT8
        ? policy.ranges(Optimizer.LEAST_MATRIX)
        : List.of(new Policy.Range(0, policy.size(), true));
  }

  private void add(Policy policy, String name, ScalarType scalarType, LongUnaryOperator place) {
    Shards dealt = shards.in(place);
    if (dealt.size() > 0) { // an adapter has no parts in blocks
      Tensor here = Tensors.own(Tensors.zeros(policy.device(), scalarType, dealt.count()));
      buffers.put(name, new Buffer(here, dealt));
    }
  }

  MomentType type() {
    return type;
  }

  /** The names under which the state is saved. */
  Set<String> names() {
    return buffers.keySet();
  }

  /** This rank's part of what is saved under a name. */
  Tensor here(String name) {
    return buffer(name).here;
  }

  /** How what is saved under a name is dealt over the ranks. */
  Shards dealt(String name) {
    return buffer(name).dealt;
  }

  /**
   * All of what is saved under a name, on all ranks, which all call this.
   *
   * @param room fp32, at least as many elements as the policy has; overwritten where ranks have a
   *     shard each
   * @return a new handle
   */
  Tensor gather(String name, Tensor room, ProcessGroup group) {
    Buffer buffer = buffer(name);
    if (shards.whole()) {
      return buffer.here.alias();
    }
    long bytes = buffer.here.element_size() * buffer.dealt.size();
    try (GradMode off = GradMode.disabled();
        PointerScope scope = new PointerScope()) {
      Tensor all = room.view(ScalarType.Byte).narrow(0, 0, bytes).view(Tensors.dtype(buffer.here));
      all.narrow(0, buffer.dealt.first(), buffer.dealt.count()).copy_(buffer.here);
      group.spreadShards("moments", all, buffer.dealt);
      return Tensors.own(all);
    }
  }

  /** Bytes of the moments of a policy with these ranges of parameters. */
  static long bytes(List<Policy.Range> ranges, MomentType type) {
    long bytes = 0;
    for (Policy.Range range : ranges) {
      bytes +=
          type == MomentType.INT8 && range.matrices()
              ? 2 * (range.count() + Float.BYTES * blocks(range.count()))
              : 2L * outside(type).bytes * range.count();
    }
    return bytes;
  }

  /** Updates this rank's parameters. */
  void step(Policy policy, Kernels kernels, Kernels.AdamW config, double scale, long step) {
    Tensor low = policy.lowPrecision();
    long weights = low == null ? 0 : Tensors.address(low);
    Tensor residues = policy.residues();
    // In fp32 the masters are the weights, which every rank has whole.
    long mastersFrom = low == null ? 0 : shards.first();
    long masters = residues == null ? Tensors.address(policy.masters()) : 0;
    long lows = residues == null ? 0 : Tensors.address(residues);
    long gradients = Tensors.address(policy.gradients());
    for (Part part : parts) {
      long first = part.range.first();
      long mine = first - mastersFrom;
      long master = masters == 0 ? 0 : masters + Float.BYTES * mine;
      long weight = weights == 0 ? 0 : weights + DType.BFLOAT16.bytes * first;
      long gradient = gradients + Float.BYTES * first;
      if (type == MomentType.FLOAT32 && residues == null) {
        kernels.adamw(
            policy.device(),
            master,
            gradient,
            DType.FLOAT32,
            address("m") + Float.BYTES * part.at,
            address("v") + Float.BYTES * part.at,
            weight,
            part.range.count(),
            config,
            scale,
            step);
        continue;
      }
      boolean inBlocks = part.type == MomentType.INT8;
      String kind = type == MomentType.INT8 && !inBlocks ? OTHERS : "";
      kernels.adamw(
          policy.device(),
          new AdamWBuffers(
              master,
              weight,
              lows == 0 ? 0 : lows + Short.BYTES * mine,
              gradient,
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
    return Tensors.address(here(name));
  }

  private Buffer buffer(String name) {
    Buffer buffer = buffers.get(name);
    if (buffer == null) {
      throw new IllegalStateException("no moments " + name + " of type " + type);
    }
    return buffer;
  }

  @Override
  public void close() {
    buffers.values().forEach(buffer -> buffer.here.close());
    buffers.clear();
  }
}
