package org.hirengine.text.jinja;

import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.hirengine.text.PyText;
import org.jspecify.annotations.Nullable;

/** Python's comparisons: equality across number types, order within a type, membership. */
final class Comparison {

  private Comparison() {}

  /** Whether {@code left operator right} holds. */
  static boolean holds(
      String operator, @Nullable Object left, @Nullable Object right, Budget budget) {
    return switch (operator) {
      case "==" -> equal(left, right, budget);
      case "!=" -> !equal(left, right, budget);
      case "in" -> contains(right, left, budget);
      case "not in" -> !contains(right, left, budget);
      default -> ordered(operator, left, right, budget);
    };
  }

  static boolean equal(@Nullable Object left, @Nullable Object right, Budget budget) {
    budget.spend(1);
    Object a = left instanceof Markup markup ? markup.text() : left;
    Object b = right instanceof Markup markup ? markup.text() : right;
    if (Values.isNumber(a) && Values.isNumber(b)) {
      return (a instanceof Double || b instanceof Double)
          ? number(a) == number(b)
          : Objects.equals(whole(a), whole(b));
    }
    if (a instanceof String first && b instanceof String second) {
      budget.spendText(Math.min(first.length(), second.length()));
      return first.equals(second);
    }
    if (a instanceof Map<?, ?> first && b instanceof Map<?, ?> second) {
      return sameDict(first, second, budget);
    }
    List<@Nullable Object> items = Values.itemsOrNull(a);
    List<@Nullable Object> others = Values.itemsOrNull(b);
    if (items != null && others != null) {
      return Values.typeName(a).equals(Values.typeName(b)) && sameItems(items, others, budget);
    }
    return Objects.equals(a, b);
  }

  private static Object whole(Object number) {
    return number instanceof Boolean ? (Object) Values.integer(number) : number;
  }

  private static boolean sameItems(
      List<@Nullable Object> items, List<@Nullable Object> others, Budget budget) {
    if (items.size() != others.size()) {
      return false;
    }
    for (int i = 0; i < items.size(); i++) {
      if (!equal(items.get(i), others.get(i), budget)) {
        return false;
      }
    }
    return true;
  }

  private static boolean sameDict(Map<?, ?> first, Map<?, ?> second, Budget budget) {
    return first.size() == second.size()
        && first.entrySet().stream()
            .allMatch(
                entry ->
                    second.containsKey(entry.getKey())
                        && equal(entry.getValue(), second.get(entry.getKey()), budget));
  }

  static boolean ordered(
      String operator, @Nullable Object left, @Nullable Object right, Budget budget) {
    Object a = left instanceof Markup markup ? markup.text() : left;
    Object b = right instanceof Markup markup ? markup.text() : right;
    budget.spend(1);
    if (Values.isNumber(a) && Values.isNumber(b)) {
      if (a instanceof Double || b instanceof Double) {
        double x = number(a);
        double y = number(b);
        return switch (operator) {
          case "<" -> x < y;
          case "<=" -> x <= y;
          case ">" -> x > y;
          default -> x >= y;
        };
      }
      return sign(operator, Long.compare(Values.integer(a), Values.integer(b)));
    }
    if (a instanceof String first && b instanceof String second) {
      budget.spendText(Math.min(first.length(), second.length()));
      return sign(operator, PyText.compare(first, second));
    }
    boolean lists = a instanceof List<?> && b instanceof List<?>;
    boolean tuples = a instanceof PyTuple && b instanceof PyTuple;
    List<@Nullable Object> items = Values.itemsOrNull(a);
    List<@Nullable Object> others = Values.itemsOrNull(b);
    if ((lists || tuples) && items != null && others != null) {
      for (int i = 0; i < Math.min(items.size(), others.size()); i++) {
        if (!equal(items.get(i), others.get(i), budget)) {
          return ordered(operator, items.get(i), others.get(i), budget);
        }
      }
      return sign(operator, Integer.compare(items.size(), others.size()));
    }
    if (a instanceof Undefined undefined) {
      throw undefined.fault();
    }
    if (b instanceof Undefined undefined) {
      throw undefined.fault();
    }
    throw new RenderError(
        "'"
            + operator
            + "' not supported between instances of '"
            + Values.typeName(a)
            + "' and '"
            + Values.typeName(b)
            + "'");
  }

  /** A sort's order, by {@code <} alone as in Python. */
  static int order(@Nullable Object left, @Nullable Object right, Budget budget) {
    return ordered("<", left, right, budget) ? -1 : ordered("<", right, left, budget) ? 1 : 0;
  }

  private static boolean sign(String operator, int order) {
    return switch (operator) {
      case "<" -> order < 0;
      case "<=" -> order <= 0;
      case ">" -> order > 0;
      default -> order >= 0;
    };
  }

  static boolean contains(@Nullable Object container, @Nullable Object element, Budget budget) {
    Object holder = container instanceof Markup markup ? markup.text() : container;
    if (holder instanceof String text) {
      Object part = element instanceof Markup markup ? markup.text() : element;
      if (!(part instanceof String wanted)) {
        throw new RenderError(
            "'in <string>' requires string as left operand, not " + Values.typeName(part));
      }
      budget.spendText(text.length());
      return text.contains(wanted);
    }
    if (holder instanceof Map<?, ?> dict) {
      return dict.containsKey(Values.dictKey(element));
    }
    if (!Values.isIterable(holder)) {
      throw new RenderError("argument of type '" + Values.typeName(holder) + "' is not iterable");
    }
    Iterator<@Nullable Object> items = Values.iterate(holder, budget);
    while (items.hasNext()) {
      if (equal(items.next(), element, budget)) {
        return true;
      }
    }
    return false;
  }

  private static double number(@Nullable Object value) {
    return value instanceof Number number ? number.doubleValue() : Values.integer(value);
  }
}
