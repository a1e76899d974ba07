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
 * together may keep a shard each of what is apart, and it may be in the host's memory while the
 * buffer that is computed with is on a GPU.
 */
final class Masters implements AutoCloseable {

  /** Masters that are handled at once if they are away. */
  private static final long PIECE = 1L << 24;

  /**
   * Where masters are that are apart.
   *
   * @param kernels of that device
   * @param away from what is computed with, in other memory
   */
  record Home(Device device, Kernels kernels, boolean away) {}

  private final Home home;
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
      Home home,
      ParameterLayout layout,
      Tensor compute,
      @Nullable Tensor values,
      @Nullable Tensor residues) {
    this.home = home;
    this.layout = layout;
    this.compute = compute;
    this.values = values;
    this.residues = residues;
    shards = Shards.whole(layout.size());
    weights = views(values == null ? compute : values);
  }

  /** The buffer that is computed with. */
  static Masters in(Tensor compute, Home home, ParameterLayout layout) {
    return new Masters(home, layout, compute, compute, null);
  }

  /** A buffer apart from it, with zeros. */
  static Masters apart(ScalarType type, Tensor compute, Home home, ParameterLayout layout) {
    return new Masters(home, layout, compute, zeros(type, home, layout), null);
  }

  /** That buffer, which is bfloat16, and residues, with zeros. */
  static Masters split(Tensor compute, Home home, ParameterLayout layout) {
    return new Masters(home, layout, compute, null, zeros(ScalarType.Short, home, layout));
  }

  private static Tensor zeros(ScalarType type, Home home, ParameterLayout layout) {
    return Tensors.own(Tensors.zeros(home.device, type, layout.size()));
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
    Tensor master = Tensors.own(Tensors.empty(home.device, ScalarType.Float, slice.shape()));
    join(lows, slice.offset(), slice.count(), master);
    return master;
  }

  /**
   * Makes masters of weights and residues.
   *
   * @param first in the flat buffers
   * @param target fp32[count], at home
   */
  private void join(Tensor lows, long first, long count, Tensor target) {
    try (Tensor part = compute.narrow(0, first, count);
        Tensor stored = home.away ? part.cpu() : part.alias()) {
      home.kernels.join(
          home.device,
          Tensors.address(stored),
          residueAddress(lows, first),
          count,
          Tensors.address(target));
    }
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
          try (GradMode off = GradMode.disabled();
              Tensor master =
                  Tensors.own(Tensors.empty(home.device, ScalarType.Float, slice.shape()));
              Tensor here =
                  home.away ? Tensors.empty(ScalarType.BFloat16, slice.shape()) : stored.alias()) {
            writer.write(name, master);
            home.kernels.split(
                home.device,
                Tensors.address(master),
                slice.count(),
                Tensors.address(here),
                residueAddress(lows, slice.offset()));
            if (home.away) {
              stored.copy_(here);
            }
          }
        });
  }

  private long residueAddress(Tensor lows, long first) {
    return Tensors.address(lows) + (first - shards.first()) * Short.BYTES;
  }

  /** Copies them, if they are apart, to what is computed with. */
  void sync() {
    Tensor all = values;
    if (all == null || areComputedWith()) {
      return;
    }
    // Between devices LibTorch makes a copy of what it converts, so not of all at once.
    long step = home.away ? PIECE : all.numel();
    try (GradMode off = GradMode.disabled()) {
      for (long at = 0; at < all.numel(); at += step) {
        long count = Math.min(step, all.numel() - at);
        try (Tensor there = compute.narrow(0, at, count);
            Tensor here = all.narrow(0, at, count)) {
          there.copy_(here);
        }
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
      } else if (home.away) {
        joinInPieces(residues, mine);
      } else {
        join(residues, shards.first(), shards.count(), mine);
      }
    }
    group.spreadShards("masters", room, shards);
    gathered = views;
  }

  /** Makes this rank's masters at home and copies them. */
  private void joinInPieces(Tensor lows, Tensor target) {
    for (long at = 0; at < target.numel(); at += PIECE) {
      long count = Math.min(PIECE, target.numel() - at);
      try (Tensor here = Tensors.empty(ScalarType.Float, count);
          Tensor there = target.narrow(0, at, count)) {
        join(lows, shards.first() + at, count, here);
        there.copy_(here);
      }
    }
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
