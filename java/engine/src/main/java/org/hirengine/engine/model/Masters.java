package org.hirengine.engine.model;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.distributed.ProcessGroup;
import org.hirengine.engine.distributed.Shards;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;
import org.jspecify.annotations.Nullable;

/**
 * A policy's own weights as they are stored and updated, in one of three forms: the very buffer
 * that is computed with; a buffer apart from it; or that buffer and residues, what rounding to
 * bfloat16 took from fp32, from which kernels make the masters again bit for bit. Ranks that train
 * together may keep a shard each of what is apart.
 */
final class Masters implements AutoCloseable {

  private final Kernels kernels;
  private final Device device;
  private final ParameterLayout layout;

  /** The flat buffer that is computed with; the policy's. */
  private final Tensor compute;

  /** None where split. */
  private @Nullable Tensor values;

  private @Nullable Tensor residues;

  /** Views of {@link #values} by HF name, or of {@link #compute} where those are not all here. */
  private Map<String, Tensor> weights;

  private Shards shards;

  /** Views of all ranks' masters, from {@link #gather} to {@link #release}. */
  private @Nullable Map<String, Tensor> gathered;

  private Masters(
      Kernels kernels,
      Device device,
      ParameterLayout layout,
      Tensor compute,
      @Nullable Tensor values,
      @Nullable Tensor residues) {
    this.kernels = kernels;
    this.device = device;
    this.layout = layout;
    this.compute = compute;
    this.values = values;
    this.residues = residues;
    shards = Shards.whole(layout.size());
    weights = views(values == null ? compute : values);
  }

  /** The buffer that is computed with. */
  static Masters in(Tensor compute, Kernels kernels, Device device, ParameterLayout layout) {
    return new Masters(kernels, device, layout, compute, compute, null);
  }

  /** A buffer apart from it, with zeros. */
  static Masters apart(
      ScalarType type, Tensor compute, Kernels kernels, Device device, ParameterLayout layout) {
    return new Masters(kernels, device, layout, compute, zeros(type, device, layout), null);
  }

  /** That buffer, which is bfloat16, and residues, with zeros. */
  static Masters split(Tensor compute, Kernels kernels, Device device, ParameterLayout layout) {
    Tensor residues = zeros(ScalarType.Short, device, layout);
    return new Masters(kernels, device, layout, compute, null, residues);
  }

  private static Tensor zeros(ScalarType type, Device device, ParameterLayout layout) {
    return Tensors.own(Tensors.zeros(device, type, layout.size()));
  }

  private Map<String, Tensor> views(Tensor flat) {
    Map<String, Tensor> views = new LinkedHashMap<>();
    layout.slices().keySet().forEach(name -> views.put(name, layout.view(flat, name)));
    return Collections.unmodifiableMap(views);
  }

  /** Whether they are the very buffer that is computed with. */
  @SuppressWarnings("ReferenceEquality") // one handle, or two
  boolean areComputedWith() {
    return values == compute;
  }

  /** By HF name; where masters are split or a shard, the weights that are computed with. */
  Map<String, Tensor> weights() {
    return weights;
  }

  /** See {@link Policy#masters}. */
  Tensor values() {
    if (values == null) {
      throw new IllegalStateException("masters are split into weights and residues");
    }
    return values;
  }

  /** See {@link Policy#residues}. */
  @Nullable Tensor residues() {
    return residues;
  }

  /** See {@link Policy#master}. */
  Tensor of(String name) {
    if (gathered != null) {
      return gathered.get(name).alias();
    }
    if (!shards.whole() && !areComputedWith()) {
      throw new IllegalStateException("masters are dealt over the ranks and not gathered");
    }
    Tensor stored = weights.get(name);
    Tensor lows = residues;
    if (lows == null) {
      return stored.alias();
    }
    ParameterLayout.Slice slice = layout.slice(name);
    Tensor master = Tensors.own(Tensors.empty(device, ScalarType.Float, slice.shape()));
    kernels.join(
        device,
        Tensors.address(stored),
        residueAddress(lows, slice),
        slice.count(),
        Tensors.address(master));
    return master;
  }

  /** Sets all, one after the other, and what is computed with. */
  void fill(Policy.Writer writer) {
    Tensor lows = residues;
    if (lows == null) {
      weights.forEach(writer::write);
      sync();
      return;
    }
    weights.forEach(
        (name, stored) -> {
          ParameterLayout.Slice slice = layout.slice(name);
          try (Tensor master =
              Tensors.own(Tensors.empty(device, ScalarType.Float, slice.shape()))) {
            writer.write(name, master);
            kernels.split(
                device,
                Tensors.address(master),
                slice.count(),
                Tensors.address(stored),
                residueAddress(lows, slice));
          }
        });
  }

  private static long residueAddress(Tensor residues, ParameterLayout.Slice slice) {
    return Tensors.address(residues) + slice.offset() * Short.BYTES;
  }

  /** Copies them, if they are apart, to what is computed with. */
  void sync() {
    if (values != null && !areComputedWith()) {
      try (GradMode off = GradMode.disabled()) {
        compute.copy_(values);
      }
    }
  }

  /** See {@link Policy#keepShard}. */
  void keep(Shards mine) {
    shards = mine;
    if (mine.whole() || areComputedWith()) {
      return;
    }
    if (residues != null) {
      residues = shard(residues);
    } else {
      Map<String, Tensor> whole = weights;
      weights = views(compute);
      whole.values().forEach(Tensor::close);
      values = shard(values());
    }
  }

  /** This rank's part in memory of its own; closes the whole. */
  private Tensor shard(Tensor whole) {
    try (whole;
        Tensor view = whole.narrow(0, shards.first(), shards.count())) {
      return Tensors.own(view.clone());
    }
  }

  /** Which of them are here. */
  Shards shards() {
    return shards;
  }

  /**
   * See {@link Policy#gatherMasters}.
   *
   * @param room fp32[n], overwritten
   * @param views of {@code room}, by HF name
   */
  void gather(ProcessGroup group, Tensor room, Map<String, Tensor> views) {
    if (shards.whole() || areComputedWith()) {
      return;
    }
    try (GradMode off = GradMode.disabled();
        Tensor mine = room.narrow(0, shards.first(), shards.count())) {
      if (residues == null) {
        mine.copy_(values());
      } else {
        kernels.join(
            device,
            Tensors.address(compute) + shards.first() * compute.element_size(),
            Tensors.address(residues),
            shards.count(),
            Tensors.address(mine));
      }
    }
    group.spreadShards("masters", room, shards);
    gathered = views;
  }

  /** Reads no longer where {@link #gather} put them. */
  void release() {
    gathered = null;
  }

  @Override
  public void close() {
    weights.values().forEach(Tensor::close);
    if (residues != null) {
      residues.close();
    }
    if (values != null && !areComputedWith()) {
      values.close();
    }
  }
}
