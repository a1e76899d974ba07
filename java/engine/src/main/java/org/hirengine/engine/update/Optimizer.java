package org.hirengine.engine.update;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.config.ConfigException;
import org.hirengine.engine.config.OptimSection;
import org.hirengine.engine.distributed.ProcessGroup;
import org.hirengine.engine.distributed.Shards;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.runtime.CopyQueue;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.MomentType;
import org.jspecify.annotations.Nullable;

/**
 * AdamW on the policy's flat buffers: the global gradient norm is one kernel call, clipping, step
 * and the write-back of the low-precision copy another (with 8-bit moments, one per kind of
 * parameter).
 *
 * <p>If ranks train together, each keeps moments and fp32 masters only of its shard of the
 * parameters, updates those, and sends the others the new weights (ZeRO stage 1).
 *
 * <p>Masters and moments may be in the host's memory ({@code optim.offload: cpu}); then the host
 * makes the step.
 */
public final class Optimizer implements AutoCloseable {

  /** Elements of the smallest matrix whose moments are stored in 8 bits. */
  public static final long LEAST_MATRIX = 4096;

  /** Keeps the clip factor finite, as torch's clip_grad_norm_ does. */
  private static final double CLIP_EPSILON = 1e-6;

  private final Policy policy;
  private final Kernels kernels;
  private final OptimSection config;
  private final LearningRate rate;
  private final ProcessGroup group;
  private final Shards shards;
  private final MomentBuffers moments;

  /** How the host makes the step, if it does. */
  private final @Nullable HostStep host;

  private long updates;

  /**
   * Of one process.
   *
   * @param totalUpdates updates of the whole run, for the schedule
   */
  public Optimizer(Policy policy, Kernels kernels, OptimSection config, long totalUpdates) {
    this(policy, kernels, config, totalUpdates, ProcessGroup.ALONE, 1);
  }

  /** Of one process, with queues of its own for copies between device and host. */
  Optimizer(
      Policy policy,
      Kernels kernels,
      OptimSection config,
      long totalUpdates,
      Supplier<CopyQueue> queues) {
    this(policy, kernels, config, totalUpdates, ProcessGroup.ALONE, 1, queues);
  }

  /**
   * Of one of the ranks that train together. The policy drops the masters that other ranks keep.
   *
   * @param pieces what the parameters are cut into, a multiple of the ranks: the same number of
   *     pieces gives the same bits on any number of ranks
   */
  public Optimizer(
      Policy policy,
      Kernels kernels,
      OptimSection config,
      long totalUpdates,
      ProcessGroup group,
      int pieces) {
    this(policy, kernels, config, totalUpdates, group, pieces, () -> CopyQueue.of(policy.device()));
  }

  private Optimizer(
      Policy policy,
      Kernels kernels,
      OptimSection config,
      long totalUpdates,
      ProcessGroup group,
      int pieces,
      Supplier<CopyQueue> queues) {
    this.policy = policy;
    this.group = group;
    this.kernels = kernels;
    this.config = config;
    rate = new LearningRate(config, totalUpdates);
    if (config.offloads() != policy.hostMasters()) {
      throw new IllegalArgumentException(
          "the policy was made for another optim.offload than " + config.offload());
    }
    Kernels stepping =
        config.offloads() && policy.device().kind() != Device.Kind.CPU
            ? NativeRuntime.kernels(Device.Kind.CPU)
            : kernels;
    if ((config.moments() != MomentType.FLOAT32 || policy.residues() != null)
        && !stepping.narrowOptimizer()) {
      throw new ConfigException(
          "optim.moments and optim.masters must be float32 here: the kernels '"
              + stepping.name()
              + "' have no optimizer over narrower state");
    }
    shards = MomentBuffers.deal(policy, config.moments(), group, pieces);
    if (!shards.whole()) {
      policy.keepShard(shards);
    }
    moments = new MomentBuffers(policy, config.moments(), shards);
    host = config.offloads() ? new HostStep(policy, moments, stepping, queues) : null;
  }

  /** How the parameters are dealt over the ranks; whole if every rank updates all of them. */
  public Shards shards() {
    return shards;
  }

  /** Updates made so far. */
  public long updates() {
    return updates;
  }

  /** Learning rate of the last update; of the first one before any. */
  public double learningRate() {
    return rate.at(Math.max(1, updates));
  }

  /** How the moments are stored. */
  public MomentType momentType() {
    return moments.type();
  }

  /** The names that a checkpoint has the moments under. */
  public Set<String> momentNames() {
    return moments.names();
  }

  /** This rank's part of what a checkpoint has under a name, as it is stored. */
  public Tensor moments(String name) {
    return moments.here(name);
  }

  /** How what a checkpoint has under a name is dealt over the ranks. */
  public Shards dealt(String name) {
    return moments.dealt(name);
  }

  /**
   * All ranks' part of what a checkpoint has under a name. All ranks call it, in the same order;
   * where each has a shard, the policy's gradients are lost.
   *
   * @return a handle for the caller to close, valid until the next call
   */
  public Tensor gatherMoments(String name) {
    return moments.gather(name, policy.gradients(), group);
  }

  /**
   * Makes {@link Policy#master} readable where each rank has a shard of them. All ranks call it.
   */
  public void gatherMasters() {
    policy.gatherMasters(group);
  }

  /** Bytes of the moments of a policy with such parameters, cut by {@link #LEAST_MATRIX}. */
  public static long momentBytes(List<Policy.Range> ranges, MomentType type) {
    return MomentBuffers.bytes(ranges, type);
  }

  /**
   * Bytes of the host's memory through which an offloaded optimizer's gradients and weights go.
   *
   * @param parameters that this rank steps
   * @param weightBytes of a weight on the device
   */
  public static long stagingBytes(long parameters, int weightBytes) {
    return HostStep.bytes(parameters, weightBytes);
  }

  /** Continues after {@code savedUpdates} updates; the caller fills the moments. */
  public void restore(long savedUpdates) {
    updates = savedUpdates;
  }

  /**
   * Clips the gradient in the policy's buffer and steps by it.
   *
   * @param norm {@link #gradientNorm()}, which must be finite
   */
  public void step(double norm) {
    updates++;
    Kernels.AdamW rates =
        new Kernels.AdamW(
            rate.at(updates),
            config.beta1(),
            config.beta2(),
            config.epsilon(),
            config.weightDecay());
    MomentBuffers.Step step = new MomentBuffers.Step(rates, clipFactor(norm), updates);
    if (host == null) {
      moments.step(policy, kernels, step);
    } else {
      host.step(step);
    }
    if (!shards.whole()) {
      Tensor low = policy.lowPrecision();
      group.spreadShards("weights", low == null ? policy.masters() : low, shards);
    }
    policy.weightsChanged();
  }

  private double clipFactor(double norm) {
    return config.clip() == null ? 1 : Math.min(1, config.clip() / (norm + CLIP_EPSILON));
  }

  /**
   * Norm of the gradient in the policy's buffer, of all ranks' shards; NaN or infinite where an
   * element is.
   */
  double gradientNorm() {
    Shards.Piece[] pieces = shards.pieces();
    ByteBuffer mine = ByteBuffer.allocate(Double.BYTES * pieces.length);
    long gradients = Tensors.address(policy.gradients());
    for (Shards.Piece piece : pieces) {
      mine.putDouble(
          piece.count() == 0
              ? 0
              : kernels.sumOfSquares(
                  policy.device(),
                  gradients + Float.BYTES * piece.first(),
                  piece.count(),
                  DType.FLOAT32));
    }
    double sum = 0;
    for (byte[] bytes :
        shards.whole() ? List.of(mine.array()) : group.gather("norm", mine.array())) {
      ByteBuffer squares = ByteBuffer.wrap(bytes);
      while (squares.hasRemaining()) {
        sum += squares.getDouble();
      }
    }
    return Math.sqrt(sum);
  }

  @Override
  public void close() {
    if (host != null) {
      host.close();
    }
    moments.close();
  }
}
