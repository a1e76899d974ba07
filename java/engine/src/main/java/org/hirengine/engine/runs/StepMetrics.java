package org.hirengine.engine.runs;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.StringWriter;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;

/** The metrics of one training step: one line of {@code metrics.jsonl}. Not thread-safe. */
public final class StepMetrics {

  private static final JsonFactory JSON = new JsonFactory();

  private final int step;
  private final Map<Metric, Double> values = new EnumMap<>(Metric.class);
  private final Map<String, Double> satisfied = new TreeMap<>();

  /**
   * Starts a step.
   *
   * @param step its number, from 1
   */
  public StepMetrics(int step) {
    this.step = step;
  }

  public int step() {
    return step;
  }

  /** Sets a value; non-finite ones are kept and shown. */
  public StepMetrics set(Metric metric, double value) {
    values.put(metric, value);
    return this;
  }

  /**
   * Sets the fraction of satisfied constraints of a type.
   *
   * @param type the type as {@code bench/id}
   */
  public StepMetrics satisfied(String type, double fraction) {
    satisfied.put(type, fraction);
    return this;
  }

  /** The value, or empty if the step has none. */
  public OptionalDouble get(Metric metric) {
    Double value = values.get(metric);
    return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
  }

  /** All values, in the order of {@link Metric}. */
  public Map<Metric, Double> values() {
    return Collections.unmodifiableMap(values);
  }

  /** Fraction of satisfied constraints by type, in order of name. */
  public Map<String, Double> satisfied() {
    return Collections.unmodifiableMap(satisfied);
  }

  /** One line of JSON without its line break; nested keys of {@link Metric} become objects. */
  public String toJson() {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(text)) {
      json.writeStartObject();
      json.writeNumberField(Metric.STEP, step);
      String open = "";
      for (Map.Entry<Metric, Double> entry : values.entrySet()) {
        String key = entry.getKey().key();
        int dot = key.indexOf('.');
        String parent = key.substring(0, Math.max(dot, 0));
        if (!parent.equals(open)) {
          if (!open.isEmpty()) {
            json.writeEndObject();
          }
          if (!parent.isEmpty()) {
            json.writeObjectFieldStart(parent);
          }
          open = parent;
        }
        json.writeFieldName(key.substring(dot + 1));
        JsonNumbers.write(json, entry.getValue());
      }
      if (!open.isEmpty()) {
        json.writeEndObject();
      }
      if (!satisfied.isEmpty()) {
        json.writeObjectFieldStart(Metric.SATISFIED);
        for (Map.Entry<String, Double> type : satisfied.entrySet()) {
          json.writeFieldName(type.getKey());
          JsonNumbers.write(json, type.getValue());
        }
        json.writeEndObject();
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new IllegalStateException(e); // a StringWriter does not fail
    }
    return text.toString();
  }

  /**
   * Reads what {@link #toJson} wrote; fields of other versions are ignored.
   *
   * @throws IllegalArgumentException when it is not such an object
   */
  static StepMetrics of(JsonNode row) {
    if (!row.path(Metric.STEP).isIntegralNumber()) {
      throw new IllegalArgumentException("has no whole number 'step'");
    }
    StepMetrics metrics = new StepMetrics(row.get(Metric.STEP).intValue());
    for (Map.Entry<String, Metric> entry : Metric.byKey().entrySet()) {
      JsonNode node = row.at("/" + entry.getKey().replace('.', '/'));
      if (!node.isMissingNode() && !node.isNull()) {
        metrics.set(entry.getValue(), JsonNumbers.read(node));
      }
    }
    for (Map.Entry<String, JsonNode> type : row.path(Metric.SATISFIED).properties()) {
      metrics.satisfied(type.getKey(), JsonNumbers.read(type.getValue()));
    }
    return metrics;
  }
}
