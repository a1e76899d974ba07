package org.hirengine.text.jinja;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Python's arithmetic on numbers, texts and sequences; integers have 64 bits here. */
final class Arithmetic {

  private Arithmetic() {}

  /** {@code left operator right}. */
  static @Nullable Object apply(
      String operator, @Nullable Object left, @Nullable Object right, Budget budget) {
    if (left instanceof Undefined undefined) {
      throw undefined.fault();
    }
    if (operator.equals("%") && left instanceof String format) {
      return PyFormat.percent(format, right, budget);
    }
    if (right instanceof Undefined undefined) {
      throw undefined.fault();
    }
    try {
      Object result = null;
      if (Values.isNumber(left) && Values.isNumber(right)) {
        result =
            left instanceof Double || right instanceof Double
                ? floats(operator, real(left), real(right))
                : integers(operator, Values.integer(left), Values.integer(right));
      } else if (operator.equals("+")) {
        result = add(left, right, budget);
      } else if (operator.equals("*")) {
        result = repeat(left, right, budget);
      }
      if (result != null) {
        return result;
      }
    } catch (ArithmeticException e) {
      throw RenderError.unsupported("arithmetic beyond 64 bits");
    }
    if (operator.equals("+") && left instanceof String) {
      throw new RenderError(
          "can only concatenate str (not \"" + Values.typeName(right) + "\") to str");
    }
    throw new RenderError(
        "unsupported operand type(s) for "
            + (operator.equals("**") ? "** or pow()" : operator)
            + ": '"
            + Values.typeName(left)
            + "' and '"
            + Values.typeName(right)
            + "'");
  }

  /** {@code -value} or {@code +value}. */
  static Object signed(boolean negative, @Nullable Object value) {
    if (value instanceof Double number) {
      return negative ? -number : number;
    }
    if (Values.isNumber(value) || value instanceof Undefined) {
      long number = Values.integer(value);
      return negative ? negated(number) : number;
    }
    throw new RenderError(
        "bad operand type for unary "
            + (negative ? "-" : "+")
            + ": '"
            + Values.typeName(value)
            + "'");
  }

  static long negated(long number) {
    if (number == Long.MIN_VALUE) {
      throw RenderError.unsupported("arithmetic beyond 64 bits");
    }
    return -number;
  }

  private static double real(@Nullable Object number) {
    return number instanceof Number real ? real.doubleValue() : Values.integer(number);
  }

  private static Object integers(String operator, long a, long b) {
    if (b == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
      throw new RenderError("division by zero");
    }
    return switch (operator) {
      case "+" -> Math.addExact(a, b);
      case "-" -> Math.subtractExact(a, b);
      case "*" -> Math.multiplyExact(a, b);
      case "/" -> (double) a / b;
      case "//" -> Math.floorDiv(a, b);
      case "%" -> Math.floorMod(a, b);
      default -> b < 0 ? floats("**", a, b) : power(a, b);
    };
  }

  private static Object power(long base, long exponent) {
    if (base == 0 || base == 1 || exponent == 0) {
      return exponent == 0 ? 1L : base;
    }
    if (base == -1) {
      return exponent % 2 == 0 ? 1L : -1L;
    }
    long result = 1;
    // Overflows, and so ends, after 63 rounds at the latest.
    for (long i = 0; i < exponent; i++) {
      result = Math.multiplyExact(result, base);
    }
    return result;
  }

  private static Object floats(String operator, double a, double b) {
    if (b == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
      throw new RenderError("float division by zero");
    }
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> a / b;
      case "//" -> Math.floor(a / b);
      case "%" -> modulo(a, b);
      default -> {
        if (a == 0 && b < 0) {
          throw new RenderError("0.0 cannot be raised to a negative power");
        }
        yield Math.pow(a, b);
      }
    };
  }

  /** The remainder with the divisor's sign. */
  private static double modulo(double a, double b) {
    double remainder = a % b;
    if (remainder == 0) {
      return Math.copySign(0.0, b);
    }
    return (remainder < 0) != (b < 0) ? remainder + b : remainder;
  }

  private static @Nullable Object add(
      @Nullable Object left, @Nullable Object right, Budget budget) {
    if (left instanceof String a && right instanceof String b) {
      budget.spendText((long) a.length() + b.length());
      return a + b;
    }
    if ((left instanceof Markup || right instanceof Markup)
        && (left instanceof String || left instanceof Markup)
        && (right instanceof String || right instanceof Markup)) {
      return new Markup(Markup.escape(left, budget).text() + Markup.escape(right, budget).text());
    }
    boolean tuples = left instanceof PyTuple && right instanceof PyTuple;
    List<@Nullable Object> first = Values.itemsOrNull(left);
    List<@Nullable Object> second = Values.itemsOrNull(right);
    if (first == null
        || second == null
        || !(tuples || (left instanceof List<?> && right instanceof List<?>))) {
      return null;
    }
    budget.spend((long) first.size() + second.size());
    List<@Nullable Object> joined = new ArrayList<>(first);
    joined.addAll(second);
    return tuples ? new PyTuple(joined) : joined;
  }

  private static @Nullable Object repeat(
      @Nullable Object left, @Nullable Object right, Budget budget) {
    if (left instanceof Long || left instanceof Boolean) {
      return right instanceof Long || right instanceof Boolean ? null : repeat(right, left, budget);
    }
    if (!(right instanceof Long || right instanceof Boolean)) {
      return null;
    }
    long times = Math.max(0, Values.integer(right));
    if (left instanceof String text) {
      budget.spendText(Math.multiplyExact(times, text.length()));
      return text.repeat((int) times);
    }
    List<@Nullable Object> items =
        left instanceof List<?> || left instanceof PyTuple ? Values.itemsOrNull(left) : null;
    if (items == null) {
      return null;
    }
    budget.spend(Math.multiplyExact(times, items.size()));
    List<@Nullable Object> repeated = new ArrayList<>();
    for (long i = 0; i < times && !items.isEmpty(); i++) {
      repeated.addAll(items);
    }
    return left instanceof PyTuple ? new PyTuple(repeated) : repeated;
  }
}
