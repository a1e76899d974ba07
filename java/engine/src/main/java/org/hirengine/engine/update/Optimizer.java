package org.hirengine.engine.update;

import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.config.ConfigException;
import org.hirengine.engine.config.TrainConfig.Optim;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.MomentType;

/**
 * AdamW on the policy's flat buffers: the global gradient norm is one kernel call, clipping, step
 * and the write-back of the low-precision copy another (8-bit moments: one a kind of parameter).
 */
public final class Optimizer implements AutoCloseable {

  /** Elements of the smallest matrix whose moments are stored in 8 bits. */
  public static final long LEAST_MATRIX = 4096;

  /** Keeps the clip factor finite, as torch's clip_grad_norm_ does. */
  private static final double CLIP_EPSILON = 1e-6;

  private final Policy policy;
  private final Kernels kernels;
  private final Optim config;
  private final LearningRate rate;
  private final MomentBuffers moments;
  private long updates;

  /**
   * @param totalUpdates updates of the whole run, for the schedule
   */
  public Optimizer(Policy policy, Kernels kernels, Optim config, long totalUpdates) {
    this.policy = policy;
    this.kernels = kernels;
    this.config = config;
    rate = new LearningRate(config, totalUpdates);
    if ((config.moments() != MomentType.FLOAT32 || policy.residues() != null)
        && !kernels.narrowOptimizer()) {
      throw new ConfigException(
          "optim.moments and optim.masters must be float32 here: the kernels '"
              + kernels.name()
              + "' have no optimizer over narrower state");
    }
    moments = new MomentBuffers(policy, config.moments());
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

  /** The moments as they are stored, by the names of a checkpoint. */
  public Map<String, Tensor> moments() {
    return moments.tensors();
  }

  /** Bytes of the moments of a policy with such parameters, cut by {@link #LEAST_MATRIX}. */
  public static long momentBytes(List<Policy.Range> ranges, MomentType type) {
    return MomentBuffers.bytes(ranges, type);
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
    moments.step(
        policy,
        kernels,
        new Kernels.AdamW(
            rate.at(updates),
            config.beta1(),
            config.beta2(),
            config.epsilon(),
            config.weightDecay()),
        clipFactor(norm),
        updates);
    policy.weightsChanged();
  }

  private double clipFactor(double norm) {
    return config.clip() == null ? 1 : Math.min(1, config.clip() / (norm + CLIP_EPSILON));
  }

  /** Norm of the gradient in the policy's buffer; NaN or infinite where an element is. */
  double gradientNorm() {
    return Math.sqrt(
        kernels.sumOfSquares(
            policy.device(),
            Tensors.address(policy.gradients()),
            policy.gradients().numel(),
            DType.FLOAT32));
  }

  @Override
  public void close() {
    moments.close();
  }
}
