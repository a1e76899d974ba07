package org.hirengine.engine.update;

import java.util.List;
import java.util.function.IntConsumer;
import org.hirengine.engine.experience.TrainingRow;
import org.hirengine.engine.model.Policy;
import org.hirengine.kernels.KernelException;

/**
 * One optimizer step per mini-batch. A mini-batch whose loss or gradient is not finite changes
 * nothing.
 */
public final class PolicyUpdate {

  private final Policy policy;
  private final PolicyGradient gradient;
  private final Optimizer optimizer;

  public PolicyUpdate(Policy policy, PolicyGradient gradient, Optimizer optimizer) {
    this.policy = policy;
    this.gradient = gradient;
    this.optimizer = optimizer;
  }

  /**
   * What an update did.
   *
   * @param gradientNorm before clipping; NaN or infinite where nothing was changed
   * @param problem why nothing was changed, as text for people; empty otherwise
   */
  public record Outcome(PolicyGradient.Result sums, double gradientNorm, String problem) {

    public boolean applied() {
      return problem.isEmpty();
    }
  }

  public Outcome update(List<TrainingRow> miniBatch) {
    return update(miniBatch, rows -> {});
  }

  /**
   * Takes one optimizer step.
   *
   * @param progress called after each micro-batch with its number of rows
   */
  public Outcome update(List<TrainingRow> miniBatch, IntConsumer progress) {
    PolicyGradient.Result sums;
    try {
      sums = gradient.accumulate(miniBatch, progress);
    } catch (KernelException e) {
      policy.zeroGradients();
      refuseFault(e);
      return new Outcome(PolicyGradient.Result.NONE, Double.NaN, String.valueOf(e.getMessage()));
    }
    double loss = sums.all().loss();
    if (!Double.isFinite(loss)) {
      policy.zeroGradients();
      return new Outcome(sums, Double.NaN, "the loss is " + loss);
    }
    double norm = optimizer.step();
    return new Outcome(sums, norm, Double.isFinite(norm) ? "" : "the gradient's norm is " + norm);
  }

  /** A device without memory, or one that failed, is no loss to skip. */
  private static void refuseFault(KernelException e) {
    if (!e.notFinite()) {
      throw e;
    }
  }

  /**
   * Norm of the gradient of a row by itself; NaN where it or the loss is not finite. Leaves no
   * gradient behind.
   */
  public double gradientNorm(TrainingRow row) {
    try {
      double loss = gradient.accumulate(List.of(row)).all().loss();
      double norm = optimizer.gradientNorm();
      return Double.isFinite(loss) && Double.isFinite(norm) ? norm : Double.NaN;
    } catch (KernelException e) {
      refuseFault(e);
      return Double.NaN;
    } finally {
      policy.zeroGradients();
    }
  }
}
