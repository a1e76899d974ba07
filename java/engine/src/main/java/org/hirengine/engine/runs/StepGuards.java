package org.hirengine.engine.runs;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.Set;
import org.hirengine.engine.config.GuardsSection;

/**
 * Watches a step's metrics for training that goes wrong without failing: entropy collapse, KL
 * blow-up, decoding and scoring that disagree, truncated responses, failing verifiers, constraints
 * satisfied by meaningless text.
 *
 * <p>Each guard writes its {@code alarm.*} metric in every step that has its value, and prints one
 * line when its alarm begins; NaN exceeds every limit. The run continues. Not thread-safe.
 */
public final class StepGuards {

  /**
   * An alarm that has just begun.
   *
   * @param metric its metric
   * @param message value, limit, meaning and remedy, in one line
   */
  public record Alarm(Metric metric, String message) {}

  /** What a guard watches: an upper limit, or a lower one. */
  private record Guard(
      Metric watched, boolean upper, double limit, String key, Metric alarm, String advice) {

    boolean raised(double value) {
      return upper ? !(value <= limit) : !(value >= limit);
    }

    String message(int step, double value) {
      return String.format(
          Locale.ROOT,
          "step %d: %s is %.4g, guards.%s is %.4g: %s",
          step,
          watched.key(),
          value,
          key,
          limit,
          advice);
    }
  }

  private final List<Guard> guards;
  private final Set<Metric> raised = EnumSet.noneOf(Metric.class);

  /** Uses the limits of a configuration. */
  public StepGuards(GuardsSection limits) {
    guards =
        List.of(
            new Guard(
                Metric.ENTROPY,
                false,
                limits.minEntropy(),
                "min_entropy",
                Metric.ALARM_ENTROPY,
                "the policy is collapsing onto single responses; lower optim.lr, or raise"
                    + " loss.entropy_bonus or kl.beta"),
            new Guard(
                Metric.KL,
                true,
                limits.maxKl(),
                "max_kl",
                Metric.ALARM_KL,
                "the policy is diverging from the reference; lower optim.lr or raise kl.beta"),
            new Guard(
                Metric.LOGPROB_MISMATCH,
                true,
                limits.maxMismatch(),
                "max_mismatch",
                Metric.ALARM_MISMATCH,
                "decoding and scoring disagree about the same tokens, so ratios are off; compare"
                    + " with dtype=float32"),
            new Guard(
                Metric.TRUNCATED,
                true,
                limits.maxTruncated(),
                "max_truncated",
                Metric.ALARM_TRUNCATION,
                "that fraction of responses was cut off; raise limits.response"),
            new Guard(
                Metric.VERIFIER_FAILURES,
                true,
                limits.maxVerifierFailures(),
                "max_verifier_failures",
                Metric.ALARM_VERIFIER,
                "that fraction of verdicts failed and counts as violated; the rollout dump holds"
                    + " the reasons"),
            new Guard(
                Metric.EVAL_HOLLOW,
                true,
                limits.maxHollow(),
                "max_hollow",
                Metric.ALARM_HOLLOW,
                "that fraction of held-out answers satisfies all constraints by saying nothing;"
                    + " read some, lower optim.lr or raise replay.floor"));
  }

  /**
   * Adds the alarms to a step's metrics.
   *
   * @return the alarms that begin with this step, for the caller to report
   */
  public List<Alarm> check(StepMetrics step) {
    List<Alarm> begun = new ArrayList<>();
    for (Guard guard : guards) {
      OptionalDouble value = step.get(guard.watched);
      if (value.isEmpty()) {
        continue;
      }
      boolean raisedNow = guard.raised(value.getAsDouble());
      step.set(guard.alarm, raisedNow ? 1 : 0);
      if (!raisedNow) {
        raised.remove(guard.alarm);
      } else if (raised.add(guard.alarm)) {
        begun.add(new Alarm(guard.alarm, guard.message(step.step(), value.getAsDouble())));
      }
    }
    return begun;
  }
}
