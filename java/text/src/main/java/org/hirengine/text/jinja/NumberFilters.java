package org.hirengine.text.jinja;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.hirengine.text.PyText;
import org.hirengine.text.jinja.CallArguments.Bound;
import org.jspecify.annotations.Nullable;

/** Filters that make or change numbers. */
final class NumberFilters {

  private static final Pattern REAL =
      Pattern.compile(
          "[+-]?(?:\\d+(?:_\\d+)*\\.?(?:\\d+(?:_\\d+)*)?|\\.\\d+(?:_\\d+)*)(?:[eE][+-]?\\d+(?:_\\d+)*)?");
  private static final Pattern NON_FINITE =
      Pattern.compile("([+-]?)(inf|infinity|nan)", Pattern.CASE_INSENSITIVE);

  private NumberFilters() {}

  static void register(Map<String, Filters.Filter> filters) {
    filters.put("abs", NumberFilters::abs);
    filters.put("int", NumberFilters::integer);
    filters.put("float", NumberFilters::real);
    filters.put("round", NumberFilters::round);
  }

  private static Object abs(@Nullable Object value, CallArguments arguments, Scope scope) {
    arguments.bind("abs", 0);
    if (value instanceof Double number) {
      return Math.abs(number);
    }
    if (!Values.isNumber(value) && !(value instanceof Undefined)) {
      throw new RenderError("bad operand type for abs(): '" + Values.typeName(value) + "'");
    }
    long number = Values.integer(value);
    return number < 0 ? Arithmetic.negated(number) : number;
  }

  private static @Nullable Object integer(
      @Nullable Object value, CallArguments arguments, Scope scope) {
    Bound bound = arguments.bind("int", 0, "default", "base");
    if (value instanceof Undefined undefined) {
      throw undefined.fault();
    }
    if (value instanceof Long || value instanceof Boolean) {
      return Values.integer(value);
    }
    Double real = value instanceof Double number ? number : null;
    if (value instanceof String text) {
      Long whole = whole(PyText.strip(text), (int) bound.integer(1, 10));
      if (whole != null) {
        return whole;
      }
      real = parse(text);
    }
    if (real == null || real.isNaN() || real.isInfinite()) {
      return bound.get(0, 0L);
    }
    if (Math.abs(real) >= 0x1p63) {
      throw RenderError.unsupported("an integer beyond 64 bits");
    }
    return (long) (double) real;
  }

  private static @Nullable Long whole(String text, int base) {
    String digits = text.replaceAll("(?<=[0-9a-zA-Z])_(?=[0-9a-zA-Z])", "");
    String prefix = base == 16 ? "0[xX]" : base == 8 ? "0[oO]" : base == 2 ? "0[bB]" : "(?!)";
    try {
      return Long.valueOf(digits.replaceFirst("^([+-]?)" + prefix, "$1"), base);
    } catch (NumberFormatException e) {
      return null;
    }
  }

  /** Python's float() of a text, or null if it raises. */
  private static @Nullable Double parse(String text) {
    String number = PyText.strip(text);
    java.util.regex.Matcher word = NON_FINITE.matcher(number);
    if (word.matches()) {
      double magnitude =
          word.group(2).toLowerCase(java.util.Locale.ROOT).equals("nan")
              ? Double.NaN
              : Double.POSITIVE_INFINITY;
      return word.group(1).equals("-") ? -magnitude : magnitude;
    }
    return REAL.matcher(number).matches() ? Double.valueOf(number.replace("_", "")) : null;
  }

  private static @Nullable Object real(
      @Nullable Object value, CallArguments arguments, Scope scope) {
    Bound bound = arguments.bind("float", 0, "default");
    if (value instanceof Undefined undefined) {
      throw undefined.fault();
    }
    if (value instanceof Number number) {
      return number.doubleValue();
    }
    if (value instanceof Boolean) {
      return (double) Values.integer(value);
    }
    Double parsed = value instanceof String text ? parse(text) : null;
    return parsed == null ? bound.get(0, 0.0) : parsed;
  }

  private static Object round(@Nullable Object value, CallArguments arguments, Scope scope) {
    Bound bound = arguments.bind("round", 0, "precision", "method");
    int precision = (int) Math.max(-400, Math.min(400, bound.integer(0, 0)));
    String method = bound.has(1) ? bound.text(1) : "common";
    if (!Set.of("common", "ceil", "floor").contains(method)) {
      throw new RenderError("method must be common, ceil or floor");
    }
    if (!Values.isNumber(value)) {
      throw value instanceof Undefined undefined
          ? undefined.fault()
          : new RenderError("type " + Values.typeName(value) + " doesn't define __round__ method");
    }
    double real = value instanceof Double number ? number : Values.integer(value);
    if (!method.equals("common")) {
      double scale = Math.pow(10, precision);
      return (method.equals("ceil") ? Math.ceil(real * scale) : Math.floor(real * scale)) / scale;
    }
    if (!(value instanceof Double)) {
      return BigDecimal.valueOf(Values.integer(value))
          .setScale(Math.min(0, precision), RoundingMode.HALF_EVEN)
          .longValueExact();
    }
    if (Double.isNaN(real) || Double.isInfinite(real)) {
      return real;
    }
    double rounded = new BigDecimal(real).setScale(precision, RoundingMode.HALF_EVEN).doubleValue();
    return rounded == 0 ? Math.copySign(0.0, real) : rounded;
  }
}
