package org.hirengine.engine.runs;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;

/**
 * Floating-point numbers in JSON. Non-finite ones, which JSON lacks, are the strings {@code "nan"},
 * {@code "inf"} and {@code "-inf"}; finite ones have enough digits to read the same bits back.
 */
public final class JsonNumbers {

  private JsonNumbers() {}

  /** Writes a value. */
  public static void write(JsonGenerator json, double value) throws IOException {
    if (Double.isFinite(value)) {
      json.writeNumber(value);
    } else {
      json.writeString(name(value));
    }
  }

  static void write(JsonGenerator json, float value) throws IOException {
    if (Float.isFinite(value)) {
      json.writeNumber(value);
    } else {
      json.writeString(name(value));
    }
  }

  /** A value as a node. */
  public static JsonNode node(double value) {
    return Double.isFinite(value) ? DoubleNode.valueOf(value) : TextNode.valueOf(name(value));
  }

  private static String name(double value) {
    return Double.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  }

  /**
   * Reads either form.
   *
   * @throws IllegalArgumentException when the node is neither
   */
  static double read(JsonNode node) {
    if (node.isNumber()) {
      return node.doubleValue();
    }
    return switch (node.asText()) {
      case "nan" -> Double.NaN;
      case "inf" -> Double.POSITIVE_INFINITY;
      case "-inf" -> Double.NEGATIVE_INFINITY;
      default -> throw new IllegalArgumentException(node + " is not a number");
    };
  }
}
