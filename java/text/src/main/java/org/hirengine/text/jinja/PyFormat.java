package org.hirengine.text.jinja;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.hirengine.text.PyRepr;
import org.jspecify.annotations.Nullable;

/** Python's two ways to put values into a text: {@code %} and {@code str.format}. */
final class PyFormat {

  private static final Pattern CONVERSION =
      Pattern.compile("%(?:\\(([^)]*)\\))?([-+ 0#]*)(\\d*)(?:\\.(\\d+))?(.)", Pattern.DOTALL);
  private static final Pattern FIELD =
      Pattern.compile("\\{\\{|\\}\\}|\\{([A-Za-z0-9_]*)(?:!([rs]))?\\}|[{}]");

  private PyFormat() {}

  /**
   * {@code format % values}, for the conversions s, r, d, i, f and %.
   *
   * @param values a tuple of values, one value, or a dict for named ones
   */
  static String percent(String format, @Nullable Object values, Budget budget) {
    List<@Nullable Object> positional =
        values instanceof PyTuple tuple
            ? tuple.items()
            : java.util.Collections.singletonList(values);
    StringBuilder out = new StringBuilder();
    Matcher conversion = CONVERSION.matcher(format);
    int start = 0;
    int used = 0;
    for (int at = format.indexOf('%'); at >= 0; at = format.indexOf('%', start)) {
      if (!conversion.region(at, format.length()).lookingAt()) {
        throw new RenderError("incomplete format");
      }
      out.append(format, start, at);
      start = conversion.end();
      if (conversion.group(5).equals("%")) {
        out.append('%');
        continue;
      }
      Object value;
      if (conversion.group(1) != null) {
        if (!(values instanceof Map<?, ?> dict)) {
          throw new RenderError("format requires a mapping");
        }
        value = dict.get(conversion.group(1));
      } else if (used < positional.size()) {
        value = positional.get(used++);
      } else {
        throw new RenderError("not enough arguments for format string");
      }
      String text = converted(value, conversion, budget);
      budget.spendText(text.length());
      out.append(text);
    }
    // Whatever has items may be left over, as a mapping's are.
    boolean items =
        values instanceof Map<?, ?>
            || values instanceof List<?>
            || values instanceof Undefined
            || (values instanceof PyView view && view.isRange());
    if (used < positional.size() && !items) {
      throw new RenderError("not all arguments converted during string formatting");
    }
    return out.append(format.substring(start)).toString();
  }

  private static String converted(@Nullable Object value, Matcher conversion, Budget budget) {
    String flags = conversion.group(2);
    String precision = conversion.group(4);
    String text;
    boolean number = false;
    switch (conversion.group(5).charAt(0)) {
      case 's' -> text = cut(PyString.of(value, budget), precision);
      case 'r' -> text = cut(PyString.repr(value, budget), precision);
      case 'd', 'i' -> {
        if (!Values.isNumber(value)) {
          throw new RenderError(
              "%d format: a real number is required, not " + Values.typeName(value));
        }
        double real = value instanceof Double d ? d : 0;
        text = Long.toString(value instanceof Double ? (long) real : Values.integer(value));
        number = true;
      }
      case 'f' -> {
        if (!Values.isNumber(value)) {
          throw new RenderError("must be real number, not " + Values.typeName(value));
        }
        double real = value instanceof Double d ? d : Values.integer(value);
        if (Double.isNaN(real) || Double.isInfinite(real)) {
          text = PyRepr.of(real);
        } else {
          int places = precision == null ? 6 : Integer.parseInt(precision);
          budget.spend(places);
          text = new BigDecimal(real).setScale(places, RoundingMode.HALF_EVEN).toPlainString();
        }
        number = true;
      }
      default -> throw RenderError.unsupported("the format '" + conversion.group() + "'");
    }
    if (number && !text.startsWith("-")) {
      text = flags.contains("+") ? "+" + text : flags.contains(" ") ? " " + text : text;
    }
    return padded(text, flags, conversion.group(3), number, budget);
  }

  private static String cut(String text, @Nullable String precision) {
    int length = text.codePointCount(0, text.length());
    return precision == null || Integer.parseInt(precision) >= length
        ? text
        : text.substring(0, text.offsetByCodePoints(0, Integer.parseInt(precision)));
  }

  private static String padded(
      String text, String flags, String width, boolean number, Budget budget) {
    int wanted = width.isEmpty() ? 0 : (int) Math.min(Long.parseLong(width), Integer.MAX_VALUE);
    int missing = Math.max(0, wanted - text.codePointCount(0, text.length()));
    budget.spendText(missing);
    if (flags.contains("-")) {
      return text + " ".repeat(missing);
    }
    if (number && flags.contains("0")) {
      int sign = "+- ".indexOf(text.charAt(0)) >= 0 ? 1 : 0;
      return text.substring(0, sign) + "0".repeat(missing) + text.substring(sign);
    }
    return " ".repeat(missing) + text;
  }

  /** {@code format.format(...)}, for fields without attributes, items or format specifications. */
  static String braces(String format, CallArguments arguments, Budget budget) {
    StringBuilder out = new StringBuilder();
    Matcher field = FIELD.matcher(format);
    int start = 0;
    int next = 0;
    while (field.find()) {
      out.append(format, start, field.start());
      start = field.end();
      String name = field.group(1);
      if (field.group().length() == 2 && name == null) {
        out.append(field.group().charAt(0));
        continue;
      }
      if (name == null) {
        throw RenderError.unsupported(
            "str.format with anything but plain fields such as {}, {0} or {name}");
      }
      Object value;
      if (name.isEmpty() || Character.isDigit(name.charAt(0))) {
        int at = name.isEmpty() ? next++ : Integer.parseInt(name);
        if (at >= arguments.positional().size()) {
          throw new RenderError(
              "Replacement index " + at + " out of range for positional args tuple");
        }
        value = arguments.positional().get(at);
      } else if (arguments.named().containsKey(name)) {
        value = arguments.named().get(name);
      } else {
        throw new RenderError("str.format has no argument '" + name + "'");
      }
      String text =
          "r".equals(field.group(2)) ? PyString.repr(value, budget) : PyString.of(value, budget);
      budget.spendText(text.length());
      out.append(text);
    }
    return out.append(format.substring(start)).toString();
  }
}
