package org.hirengine.verify.muldimif;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import org.hirengine.text.PyRepr;

/** {@code str} of a JSON value that {@code json.loads} has read. */
final class PyValue {

  private PyValue() {}

  /** {@code str(value)}: a string unchanged, everything else as {@code repr} writes it. */
  static String str(JsonNode value) {
    if (value.isTextual()) {
      return value.asText();
    }
    StringBuilder out = new StringBuilder();
    write(value, out);
    return out.toString();
  }

  private static void write(JsonNode value, StringBuilder out) {
    if (value.isObject()) {
      String separator = "{";
      for (Map.Entry<String, JsonNode> field : value.properties()) {
        out.append(separator);
        out.append(PyRepr.of(field.getKey()));
        out.append(": ");
        write(field.getValue(), out);
        separator = ", ";
      }
      out.append(value.isEmpty() ? "{}" : "}");
    } else if (value.isArray()) {
      String separator = "[";
      for (JsonNode item : value) {
        out.append(separator);
        write(item, out);
        separator = ", ";
      }
      out.append(value.isEmpty() ? "[]" : "]");
    } else if (value.isTextual()) {
      out.append(PyRepr.of(value.asText()));
    } else if (value.isNull()) {
      out.append("None");
    } else if (value.isBoolean()) {
      out.append(value.asBoolean() ? "True" : "False");
    } else {
      out.append(value.isFloatingPointNumber() ? PyRepr.of(value.asDouble()) : value.asText());
    }
  }
}
