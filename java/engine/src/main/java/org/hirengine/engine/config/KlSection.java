package org.hirengine.engine.config;

import org.hirengine.engine.algo.KlPenalty;
import org.hirengine.kernels.Kernels.KlLoss;

/**
 * Section {@code kl} of a training run's configuration: what leaving the reference policy costs.
 */
public record KlSection(
    @Key(
            doc = "Weight of the KL penalty in the reward; 0 needs no reference policy.",
            value = "0.001",
            min = 0,
            max = 1e6,
            elsewhere = {"kl_coef", "kl_coeff", "kl_weight"})
        double beta,
    @Key(doc = "Estimator of the KL in the reward.", value = "k1") KlPenalty penalty,
    @Key(doc = "Whether beta is steered towards kl.target.", value = "fixed") Controller controller,
    @Key(doc = "Target of the adaptive controller.", value = "0.1", min = 1e-12, max = 1e6)
        double target,
    @Key(
            doc = "Time constant of the adaptive controller, in rows.",
            value = "10000",
            min = 1,
            max = 1e12)
        double horizon,
    @Key(doc = "Estimator of the KL in the loss; none is off.", value = "none") KlLoss loss,
    @Key(doc = "Weight of the KL in the loss.", value = "0.001", min = 0, max = 1e6)
        double lossWeight) {

  /** How beta changes. */
  public enum Controller {
    FIXED,
    ADAPTIVE
  }

  /** Whether log-probs of a reference policy are needed. */
  public boolean needsReference() {
    return beta > 0 || (loss != KlLoss.NONE && lossWeight > 0);
  }
}
