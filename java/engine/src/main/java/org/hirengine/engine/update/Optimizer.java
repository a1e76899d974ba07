package org.hirengine.engine.update;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.config.TrainConfig.Optim;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Kernels;

/**
 * AdamW on the policy's flat buffers: the global gradient norm is one kernel call, clipping, step
 * and the write-back of the low-precision copy another.
 */
public final class Optimizer implements AutoCloseable {

  /** Keeps the clip factor finite, as torch's clip_grad_norm_ does. */
  private static final double CLIP_EPSILON = 1e-6;

  private final Policy policy;
  private final Kernels kernels;
  private final Optim config;
  private final LearningRate rate;
  private final Tensor firstMoment;
  private final Tensor secondMoment;
  private long updates;

  /**
   * @param totalUpdates updates of the whole run, for the schedule
   */
  public Optimizer(Policy policy, Kernels kernels, Optim config, long totalUpdates) {
    this.policy = policy;
    this.kernels = kernels;
    this.config = config;
    rate = new LearningRate(config, totalUpdates);
    long size = policy.masters().numel();
    firstMoment = Tensors.own(Tensors.zeros(policy.device(), ScalarType.Float, size));
    secondMoment = Tensors.own(Tensors.zeros(policy.device(), ScalarType.Float, size));
  }

  /** Updates made so far. */
  public long updates() {
    return updates;
  }

  /** Learning rate of the last update; of the first one before any. */
  public double learningRate() {
    return rate.at(Math.max(1, updates));
  }

  /** fp32[n], laid out as the policy's flat weights. */
  public Tensor firstMoment() {
    return firstMoment;
  }

  /** fp32[n], laid out as the policy's flat weights. */
  public Tensor secondMoment() {
    return secondMoment;
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
  void step(double norm) {
    updates++;
    long low = policy.lowPrecision() == null ? 0 : Tensors.address(policy.lowPrecision());
    kernels.adamw(
        policy.device(),
        Tensors.address(policy.masters()),
        Tensors.address(policy.gradients()),
        DType.FLOAT32,
        Tensors.address(firstMoment),
        Tensors.address(secondMoment),
        low,
        policy.masters().numel(),
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
    firstMoment.close();
    secondMoment.close();
  }
}
