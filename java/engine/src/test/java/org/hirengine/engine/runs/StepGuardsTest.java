package org.hirengine.engine.runs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.hirengine.engine.config.GuardsSection;
import org.junit.jupiter.api.Test;

final class StepGuardsTest {

  private static StepGuards guards() {
    return new StepGuards(new GuardsSection(0.02, 1, 0.03, 0.5, 0.01, 0.1));
  }

  @Test
  void eachGuardHasItsMetricAndItsLine() {
    Map<Metric, Metric> watched =
        Map.of(
            Metric.KL, Metric.ALARM_KL,
            Metric.LOGPROB_MISMATCH, Metric.ALARM_MISMATCH,
            Metric.TRUNCATED, Metric.ALARM_TRUNCATION,
            Metric.VERIFIER_FAILURES, Metric.ALARM_VERIFIER,
            Metric.EVAL_HOLLOW, Metric.ALARM_HOLLOW);
    Map<Metric, Double> limits =
        Map.of(
            Metric.KL, 1.0,
            Metric.LOGPROB_MISMATCH, 0.03,
            Metric.TRUNCATED, 0.5,
            Metric.VERIFIER_FAILURES, 0.01,
            Metric.EVAL_HOLLOW, 0.1);
    watched.forEach(
        (metric, alarm) -> {
          double limit = limits.get(metric);
          assertEquals(OptionalDouble.of(0), alarmOf(metric, limit, alarm));
          assertEquals(OptionalDouble.of(1), alarmOf(metric, Math.nextUp(limit), alarm));
          assertEquals(OptionalDouble.of(1), alarmOf(metric, Double.NaN, alarm));
        });
    assertEquals(OptionalDouble.of(0), alarmOf(Metric.ENTROPY, 0.02, Metric.ALARM_ENTROPY));
    assertEquals(OptionalDouble.of(1), alarmOf(Metric.ENTROPY, 0.019, Metric.ALARM_ENTROPY));
    assertEquals(OptionalDouble.of(1), alarmOf(Metric.ENTROPY, Double.NaN, Metric.ALARM_ENTROPY));
  }

  private static OptionalDouble alarmOf(Metric metric, double value, Metric alarm) {
    StepMetrics step = new StepMetrics(1).set(metric, value);
    guards().check(step);
    assertEquals(2, step.values().size(), "only the alarm of the value that is known");
    return step.get(alarm);
  }

  @Test
  void aLineWhenAnAlarmBeginsAndTheMetricAsLongAsItLasts() {
    StepGuards guards = guards();
    double[] entropy = {0.5, 0.01, 0.005, 0.3, 0.01};
    List<Double> alarms = new ArrayList<>();
    List<String> begun = new ArrayList<>();
    for (int i = 0; i < entropy.length; i++) {
      StepMetrics step = new StepMetrics(i + 1).set(Metric.ENTROPY, entropy[i]);
      guards.check(step).forEach(alarm -> begun.add(alarm.message()));
      alarms.add(step.get(Metric.ALARM_ENTROPY).orElseThrow());
    }
    assertEquals(List.of(0.0, 1.0, 1.0, 0.0, 1.0), alarms);
    assertEquals(2, begun.size(), begun::toString);
    String first = "step 2: entropy is 0.01000, guards.min_entropy is 0.02000: ";
    assertTrue(begun.get(0).startsWith(first), begun.get(0));
    assertTrue(begun.get(1).startsWith("step 5: "), begun.get(1));
  }
}
