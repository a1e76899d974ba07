package org.hirengine.engine.update;

import java.util.ArrayList;
import java.util.Collections;
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
import org.hirengine.kernels.Device;
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

  /** Most elements of a part: what is on its way at once where the host makes the step. */
  static final long LARGEST_PART = 1L << 21;

  /** A part of the policy's flat buffers, with the position of its moments. */
  record Part(Policy.Range range, MomentType type, long at, long scalesAt) {

    long first() {
      return range.first();
    }

    long count() {
      return range.count();
    }
  }

  /**
   * Addresses of a part's numbers, as {@link AdamWBuffers} has them.
   *
   * @param device whose memory all of them, and the moments, are in
   */
  record Place(Device device, long masters, long weights, long residues, long gradients) {}

  /** What is the same for all parts of a step: {@code number} from 1. */
  record Step(Kernels.AdamW rates, double scale, long number) {}

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
  private final Device device;
  private final List<Part> parts = new ArrayList<>();
  private final Map<String, Buffer> buffers = new LinkedHashMap<>();

  /** Of this rank's shard of the policy's parameters, where the policy's masters are. */
  MomentBuffers(Policy policy, MomentType type, Shards shards) {
    this.type = type;
    this.shards = shards;
    device = policy.hostMasters() ? Device.CPU : policy.device();
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
        case FLOAT32 -> add(name, ScalarType.Float, this::others);
        case BFLOAT16 -> add(name, ScalarType.BFloat16, this::others);
        case INT8 -> {
          add(name, ScalarType.Byte, this::coded);
          add(name + "_scales", ScalarType.Float, this::scales);
          add(name + OTHERS, ScalarType.BFloat16, this::others);
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
   * The ranges, cut where pieces begin and into parts that are not too large. Random rounding is
   * keyed by the start of a part, and so depends neither on the number of ranks nor on where the
   * step is made.
   */
  private List<Policy.Range> mine() {
    List<Policy.Range> mine = new ArrayList<>();
    for (Shards.Piece piece : shards.pieces()) {
      for (Policy.Range range : ranges) {
        long first = Math.max(range.first(), piece.first());
        long end = Math.min(range.first() + range.count(), piece.first() + piece.count());
        for (long at = first; at < end; at += LARGEST_PART) {
          mine.add(new Policy.Range(at, Math.min(LARGEST_PART, end - at), range.matrices()));
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

  private void add(String name, ScalarType scalarType, LongUnaryOperator place) {
    Shards dealt = shards.in(place);
    if (dealt.size() > 0) { // an adapter has no parts in blocks
      Tensor here = Tensors.own(Tensors.zeros(device, scalarType, dealt.count()));
      buffers.put(name, new Buffer(here, dealt));
    }
  }

  /** This rank's parameters in parts, in order. */
  List<Part> parts() {
    return Collections.unmodifiableList(parts);
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

  /** Updates this rank's parameters where they are. */
  void step(Policy policy, Kernels kernels, Step step) {
    Tensor low = policy.lowPrecision();
    Tensor residues = policy.residues();
    // In fp32 the masters are the weights, which every rank has whole.
    long kept = low == null ? 0 : shards.first();
    for (Part part : parts) {
      long first = part.first();
      Place place =
          new Place(
              device,
              residues != null ? 0 : at(policy.masters(), first - kept),
              low == null ? 0 : at(low, first),
              residues == null ? 0 : at(residues, first - kept),
              at(policy.gradients(), first));
      step(part, place, kernels, step);
    }
  }

  private static long at(Tensor tensor, long element) {
    return Tensors.address(tensor) + tensor.element_size() * element;
  }

  /** Updates a part. */
  void step(Part part, Place place, Kernels kernels, Step step) {
    if (type == MomentType.FLOAT32 && place.residues == 0) {
      kernels.adamw(
          place.device,
          place.masters,
          place.gradients,
          DType.FLOAT32,
          address("m") + Float.BYTES * part.at,
          address("v") + Float.BYTES * part.at,
          place.weights,
          part.count(),
          step.rates,
          step.scale,
          step.number);
      return;
    }
    boolean inBlocks = part.type == MomentType.INT8;
    String kind = type == MomentType.INT8 && !inBlocks ? OTHERS : "";
    kernels.adamw(
        place.device,
        new AdamWBuffers(
            place.masters,
            place.weights,
            place.residues,
            place.gradients,
            DType.FLOAT32,
            part.type,
            address("m" + kind) + part.type.bytes * part.at,
            address("v" + kind) + part.type.bytes * part.at,
            inBlocks ? address("m_scales") + Float.BYTES * part.scalesAt : 0,
            inBlocks ? address("v_scales") + Float.BYTES * part.scalesAt : 0,
            part.count(),
            part.first()),
        step.rates,
        step.scale,
        step.number);
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
