package org.hirengine.text;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;

/** {@code repr} of Python's strings and floats. */
public final class PyRepr {

  /** Significant digits that distinguish any two doubles. */
  private static final int MOST_DIGITS = 17;

  private PyRepr() {}

  /**
   * {@code repr(text)}: in single quotes, or in double ones if the text contains only single ones.
   */
  public static String of(String text) {
    StringBuilder out = new StringBuilder(text.length() + 2);
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
            String form = c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x";
            out.append(String.format(Locale.ROOT, form, c));
          }
        }
      }
    }
    return out.append(quote).toString();
  }

  /** {@code repr(number)}: the fewest digits that read back as the same double. */
  public static String of(double number) {
    if (Double.isNaN(number)) {
      return "nan";
    }
    String sign = Double.doubleToRawLongBits(number) < 0 ? "-" : "";
    double size = Math.abs(number);
    if (Double.isInfinite(size)) {
      return sign + "inf";
    }
    if (size == 0) {
      return sign + "0.0";
    }
    BigDecimal exact = new BigDecimal(size);
    BigDecimal shortest = exact;
    for (int digits = 1; digits <= MOST_DIGITS; digits++) {
      shortest = exact.round(new MathContext(digits));
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
    String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
    return sign
        + digits.charAt(0)
        + fraction
        + String.format(Locale.ROOT, "e%s%02d", exponent < 0 ? "-" : "+", Math.abs(exponent));
  }
}
