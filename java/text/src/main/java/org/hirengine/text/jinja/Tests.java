package org.hirengine.text.jinja;

import java.math.BigInteger;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.hirengine.text.PyText;
import org.jspecify.annotations.Nullable;

/** The tests used with {@code is}. */
final class Tests {

  private interface Check {
    boolean holds(@Nullable Object value, CallArguments arguments, Budget budget);
  }

  private static final Map<String, Check> TESTS = new HashMap<>();

  static {
    unary("defined", value -> !(value instanceof Undefined));
    unary("undefined", value -> value instanceof Undefined);
    unary("none", value -> value == null);
    unary("boolean", value -> value instanceof Boolean);
    unary("true", value -> Boolean.TRUE.equals(value));
    unary("false", value -> Boolean.FALSE.equals(value));
    unary("integer", value -> value instanceof Long || value instanceof BigInteger);
    unary("float", value -> value instanceof Double);
    unary("number", Values::isNumber);
    unary("string", value -> value instanceof String || value instanceof Markup);
    unary("escaped", value -> value instanceof Markup);
    unary("mapping", value -> value instanceof Map);
    unary("iterable", Values::isIterable);
    unary("sequence", Tests::isSequence);
    unary("callable", value -> value instanceof PyCallable || value instanceof Undefined);
    put("lower", (value, arguments, budget) -> PyText.isLower(PyString.of(value, budget)));
    put("upper", (value, arguments, budget) -> PyText.isUpper(PyString.of(value, budget)));
    put("odd", (value, arguments, budget) -> remainder(value, 2L, budget, 1L));
    put("even", (value, arguments, budget) -> remainder(value, 2L, budget, 0L));
    put(
        "divisibleby",
        (value, arguments, budget) ->
            remainder(value, arguments.bind("divisibleby", 1, "num").get(0), budget, 0L));
    put("sameas", (value, arguments, budget) -> same(value, other("sameas", arguments)));
    put(
        "in",
        (value, arguments, budget) -> Comparison.contains(other("in", arguments), value, budget));
    put("filter", (value, arguments, budget) -> Filters.exists(PyString.of(value, budget)));
    put("test", (value, arguments, budget) -> TESTS.containsKey(PyString.of(value, budget)));
    comparison("==", "eq", "equalto");
    comparison("!=", "ne");
    comparison(">", "gt", "greaterthan");
    comparison(">=", "ge");
    comparison("<", "lt", "lessthan");
    comparison("<=", "le");
  }

  private Tests() {}

  /**
   * Whether {@code value is name(arguments)}.
   *
   * @throws RenderError for a test that does not exist
   */
  static boolean holds(
      String name, @Nullable Object value, CallArguments arguments, Budget budget) {
    Check check = TESTS.get(name);
    if (check == null) {
      throw new RenderError("No test named '" + name + "'.");
    }
    return check.holds(value, arguments, budget);
  }

  private static void put(String name, Check check) {
    TESTS.put(name, check);
  }

  private static void unary(String name, Predicate<@Nullable Object> predicate) {
    put(
        name,
        (value, arguments, budget) -> {
          arguments.bind(name, 0);
          return predicate.test(value);
        });
  }

  private static void comparison(String operator, String... names) {
    Check check =
        (value, arguments, budget) ->
            Comparison.holds(operator, value, other(operator, arguments), budget);
    put(operator, check);
    for (String name : names) {
      put(name, check);
    }
  }

  private static @Nullable Object other(String name, CallArguments arguments) {
    return arguments.bind(name, 1, "other").get(0);
  }

  private static boolean remainder(
      @Nullable Object value, @Nullable Object divisor, Budget budget, long wanted) {
    return Comparison.equal(Arithmetic.apply("%", value, divisor, budget), wanted, budget);
  }

  private static boolean isSequence(@Nullable Object value) {
    return value instanceof PyView view
        ? view.isRange()
        : Values.knownLength(value) >= 0 && !(value instanceof Loop);
  }

  /** Identity, which for Python's small values is equality within a type. */
  private static boolean same(@Nullable Object value, @Nullable Object other) {
    boolean plain =
        value == null
            || value instanceof Boolean
            || value instanceof String
            || value instanceof Long;
    return plain ? java.util.Objects.equals(value, other) : value == other;
  }
}
