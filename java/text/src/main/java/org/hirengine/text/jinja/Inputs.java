package org.hirengine.text.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Turns a caller's variables into the interpreter's own values, as copies. */
final class Inputs {

  private static final int MAX_DEPTH = 500;

  private Inputs() {}

  /**
   * The value of one variable.
   *
   * @param path the variable's name, for errors
   * @throws IllegalArgumentException naming the place of a value of another type
   */
  static @Nullable Object value(@Nullable Object input, String path, Budget budget) {
    return value(input, path, 0, budget);
  }

  private static @Nullable Object value(
      @Nullable Object input, String path, int depth, Budget budget) {
    if (depth > MAX_DEPTH) {
      throw new IllegalArgumentException(
          "the template variable " + path.substring(0, 40) + "... is nested too deeply");
    }
    if (input == null || input instanceof Boolean || input instanceof Long) {
      return input;
    }
    if (input instanceof CharSequence text) {
      budget.grantForInput(text.length());
      return text.toString();
    }
    if (input instanceof Number number) {
      return number(number);
    }
    if (input instanceof Map<?, ?> map) {
      budget.grantForInput(map.size());
      Map<@Nullable Object, @Nullable Object> dict = new LinkedHashMap<>();
      map.forEach(
          (key, element) ->
              dict.put(
                  value(key, path, depth + 1, budget),
                  value(element, path + "." + key, depth + 1, budget)));
      return dict;
    }
    if (input instanceof Collection<?> elements) {
      budget.grantForInput(elements.size());
      List<@Nullable Object> list = new ArrayList<>(elements.size());
      for (Object element : elements) {
        list.add(value(element, path + "[" + list.size() + "]", depth + 1, budget));
      }
      return list;
    }
    throw new IllegalArgumentException(
        "the template variable "
            + path
            + " is a "
            + input.getClass().getName()
            + "; use strings, numbers, booleans, null, maps and lists");
  }

  private static Object number(Number number) {
    if (number instanceof Double || number instanceof Float || number instanceof BigDecimal) {
      return number.doubleValue();
    }
    if (number instanceof BigInteger big && big.bitLength() > 63) {
      return big;
    }
    return number.longValue();
  }
}
