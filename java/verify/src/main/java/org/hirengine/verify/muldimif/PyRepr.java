package org.hirengine.verify.muldimif;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.Map;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyChars;

/** What {@code str} makes of a JSON value that {@code json.loads} has read. */
final class PyRepr {

  /** Significant digits that tell any two doubles apart. */
  private static final int MOST_DIGITS = 17;

  private PyRepr() {}

  /** {@code str(value)}: a string as it is, everything else as {@code repr} writes it. */
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
        write(field.getKey(), out);
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
      write(value.asText(), out);
    } else if (value.isNull()) {
      out.append("None");
    } else if (value.isBoolean()) {
      out.append(value.asBoolean() ? "True" : "False");
    } else {
      out.append(value.isFloatingPointNumber() ? number(value.asDouble()) : value.asText());
    }
  }

  /** In single quotes, or in double ones where only single ones stand in the text. */
  private static void write(String text, StringBuilder out) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    out.append(quote);
    for (int c : CodePoints.of(text).values()) {
      switch (c) {
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\\' -> out.append("\\\\");
        default -> {
          if (c == quote) {
            out.append('\\').append(quote);
          } else if (PyChars.isPrintable(c)) {
            out.appendCodePoint(c);
          } else {
            out.append(
                String.format(
                    Locale.ROOT, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c));
          }
        }
      }
    }
    out.append(quote);
  }

  /** The shortest digits that are read back as the same double. */
  private static String number(double d) {
    if (Double.isNaN(d)) {
      return "nan";
    }
    if (Double.isInfinite(d)) {
      return d > 0 ? "inf" : "-inf";
    }
    String sign = Double.doubleToRawLongBits(d) < 0 ? "-" : "";
    double size = Math.abs(d);
    if (size == 0) {
      return sign + "0.0";
    }
    BigDecimal exact = new BigDecimal(size);
    BigDecimal shortest = exact;
    for (int digits = 1; digits <= MOST_DIGITS; digits++) {
      shortest = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
      if (shortest.doubleValue() == size) {
        break;
      }
    }
    shortest = shortest.stripTrailingZeros();
    String digits = shortest.unscaledValue().toString();
    int exponent = digits.length() - 1 - shortest.scale();
    if (exponent >= -4 && exponent < 16) {
      String plain = shortest.toPlainString();
      return sign + (plain.indexOf('.') < 0 ? plain + ".0" : plain);
    }
    String tail = digits.length() > 1 ? "." + digits.substring(1) : "";
    return sign
        + digits.charAt(0)
        + tail
        + String.format(Locale.ROOT, "e%s%02d", exponent < 0 ? "-" : "+", Math.abs(exponent));
  }
}
