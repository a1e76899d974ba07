package org.hirengine.engine.runs;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * What one evaluation measured: metrics {@code eval.*}, in JSON an object of their names without
 * that prefix.
 *
 * @param values in the order of {@link Metric}
 */
public record HeldOut(Map<Metric, Double> values) {

  private static final String PREFIX = "eval.";

  /**
   * Copies the map.
   *
   * @throws IllegalArgumentException where a metric is none of an evaluation, or ILA or CLA is
   *     missing
   */
  public HeldOut {
    Map<Metric, Double> copy = new EnumMap<>(Metric.class);
    copy.putAll(values);
    values = Collections.unmodifiableMap(copy);
    if (!copy.containsKey(Metric.EVAL_ILA)
        || !copy.containsKey(Metric.EVAL_CLA)
        || !copy.keySet().stream().allMatch(metric -> metric.key().startsWith(PREFIX))) {
      throw new IllegalArgumentException("no evaluation has " + copy.keySet());
    }
  }

  /** Accuracies alone. */
  public static HeldOut of(double ila, double cla) {
    return new HeldOut(Map.of(Metric.EVAL_ILA, ila, Metric.EVAL_CLA, cla));
  }

  /** Names that this version does not know are left out. */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  static HeldOut read(Map<String, Double> named) {
    Map<Metric, Double> values = new EnumMap<>(Metric.class);
    named.forEach(
        (name, value) -> {
          Metric metric = Metric.byKey().get(PREFIX + name);
          if (metric != null) {
            values.put(metric, value);
          }
        });
    return new HeldOut(values);
  }

  @JsonValue
  Map<String, Double> named() {
    Map<String, Double> named = new LinkedHashMap<>();
    values.forEach((metric, value) -> named.put(metric.key().substring(PREFIX.length()), value));
    return named;
  }

  /** Fraction of answers that satisfy all their constraints. */
  public double ila() {
    return values.get(Metric.EVAL_ILA);
  }

  /** Fraction of satisfied constraints, mean over answers. */
  public double cla() {
    return values.get(Metric.EVAL_CLA);
  }

  /** Any of its metrics; empty where it was not measured, as by older versions. */
  public OptionalDouble get(Metric metric) {
    Double value = values.get(metric);
    return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
  }
}
