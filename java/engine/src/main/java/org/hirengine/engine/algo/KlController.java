package org.hirengine.engine.algo;

/**
 * The weight beta of the KL penalty in the reward, fixed or steered towards a target (Ziegler et
 * al. 2019, section 2.2; verl {@code get_kl_controller}). Not thread-safe.
 */
public final class KlController {

  private final double target;
  private final double horizon;
  private double beta;

  private KlController(double beta, double target, double horizon) {
    this.beta = beta;
    this.target = target;
    this.horizon = horizon;
  }

  /** A beta that never changes. */
  public static KlController fixed(double beta) {
    return new KlController(beta, 0, 0);
  }

  /**
   * A beta that grows while the KL is above {@code target} and shrinks while it is below.
   *
   * @param horizon rows after which a KL of 1.2 targets has multiplied beta by about e^0.2
   */
  public static KlController adaptive(double beta, double target, double horizon) {
    if (!(target > 0) || !(horizon > 0)) {
      throw new IllegalArgumentException(
          "adaptive KL needs target > 0 and horizon > 0, got " + target + " and " + horizon);
    }
    return new KlController(beta, target, horizon);
  }

  public double beta() {
    return beta;
  }

  /** Restores beta from a checkpoint. */
  public void restore(double savedBeta) {
    beta = savedBeta;
  }

  /**
   * Adapts beta after a step.
   *
   * @param kl mean KL of the step
   * @param rows rows of the step's batch
   */
  public void update(double kl, long rows) {
    if (horizon > 0) {
      double error = Math.max(-0.2, Math.min(0.2, kl / target - 1));
      beta *= 1 + error * rows / horizon;
    }
  }
}
