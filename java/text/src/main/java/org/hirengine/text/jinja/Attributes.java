package org.hirengine.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What {@code .} and {@code []} find. The dot prefers an attribute (a dict's {@code items} is its
 * method) and falls back to an item; brackets prefer the item. What does not exist is undefined,
 * and so is whatever the immutable sandbox hides: methods that change their object, and all of
 * Python's internal names.
 */
final class Attributes {

  /** Stands for an attribute whose value is None, where null means that there is none. */
  static final Object NONE = new Object();

  private static final Set<String> LIST_CHANGES =
      Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");
  private static final Set<String> DICT_CHANGES =
      Set.of("clear", "pop", "popitem", "setdefault", "update");

  private Attributes() {}

  /** {@code object.name}. */
  static @Nullable Object attribute(@Nullable Object object, String name) {
    Object own = own(object, name);
    if (own != null) {
      return own == NONE ? null : own;
    }
    if (object instanceof Map<?, ?> dict && dict.containsKey(name)) {
      return dict.get(name);
    }
    return Undefined.attribute(object, name);
  }

  /** {@code object[key]}. */
  static @Nullable Object item(@Nullable Object object, @Nullable Object key, Budget budget) {
    if (object instanceof Undefined undefined) {
      throw undefined.fault();
    }
    if (key instanceof Slice slice) {
      return part(object, slice, budget);
    }
    Object plain = key instanceof Markup markup ? markup.text() : key;
    if (object instanceof Map<?, ?> dict) {
      if (dict.containsKey(plain)) {
        return dict.get(plain);
      }
    } else if (plain instanceof Long || plain instanceof Boolean) {
      Object element = element(object, Values.integer(plain), budget);
      if (element != null) {
        return element == NONE ? null : element;
      }
    }
    Object own = plain instanceof String name ? own(object, name) : null;
    if (own != null) {
      return own == NONE ? null : own;
    }
    return Undefined.attribute(object, plain);
  }

  /** An attribute that is no item: NONE for None, null if there is no such attribute. */
  static @Nullable Object own(@Nullable Object object, String name) {
    if (object instanceof Undefined undefined) {
      throw undefined.fault();
    }
    if (object instanceof Namespace namespace) {
      if (!namespace.attributes().containsKey(name)) {
        return null;
      }
      Object value = namespace.attributes().get(name);
      return value == null ? NONE : value;
    }
    if (name.startsWith("__") && name.endsWith("__")) {
      return Undefined.unsafe(object, name);
    }
    if (object instanceof Map<?, ?> dict) {
      return DICT_CHANGES.contains(name) ? Undefined.unsafe(object, name) : dictMethod(dict, name);
    }
    if (object instanceof List<?> && LIST_CHANGES.contains(name)) {
      return Undefined.unsafe(object, name);
    }
    List<@Nullable Object> items = Values.itemsOrNull(object);
    if (items != null) {
      return sequenceMethod(object, items, name);
    }
    if (object instanceof String text) {
      return StringMethods.find(text, name);
    }
    if (object instanceof Markup markup) {
      return StringMethods.find(markup.text(), name);
    }
    if (object instanceof Loop loop) {
      return loop.attribute(name);
    }
    if (object instanceof Macro macro && name.equals("name")) {
      return macro.definition().name();
    }
    return null;
  }

  private static @Nullable PyCallable dictMethod(Map<?, ?> dict, String name) {
    return switch (name) {
      case "keys" ->
          (arguments, scope) -> {
            arguments.bind("keys", 0);
            scope.budget().spend(dict.size());
            return new PyView("dict_keys", new ArrayList<>(dict.keySet()), null);
          };
      case "values" ->
          (arguments, scope) -> {
            arguments.bind("values", 0);
            scope.budget().spend(dict.size());
            return new PyView("dict_values", new ArrayList<>(dict.values()), null);
          };
      case "items" ->
          (arguments, scope) -> {
            arguments.bind("items", 0);
            return new PyView("dict_items", pairs(dict, scope.budget()), null);
          };
      case "get" ->
          (arguments, scope) -> {
            CallArguments.Bound bound = arguments.bind("get", 1, "key", "default");
            Object key = Values.dictKey(bound.get(0));
            return dict.containsKey(key) ? dict.get(key) : bound.get(1, null);
          };
      case "copy" ->
          (arguments, scope) -> {
            arguments.bind("copy", 0);
            scope.budget().spend(dict.size());
            return new LinkedHashMap<@Nullable Object, @Nullable Object>(dict);
          };
      case "fromkeys" -> throw RenderError.unsupported("the method dict.fromkeys");
      default -> null;
    };
  }

  /** A dict's keys and values, each pair a tuple. */
  static List<@Nullable Object> pairs(Map<?, ?> dict, Budget budget) {
    budget.spend(dict.size());
    List<@Nullable Object> pairs = new ArrayList<>(dict.size());
    dict.forEach((key, value) -> pairs.add(new PyTuple(pair(key, value))));
    return pairs;
  }

  private static List<@Nullable Object> pair(@Nullable Object key, @Nullable Object value) {
    List<@Nullable Object> pair = new ArrayList<>(2);
    pair.add(key);
    pair.add(value);
    return pair;
  }

  private static @Nullable PyCallable sequenceMethod(
      @Nullable Object object, List<@Nullable Object> items, String name) {
    boolean indexed = !(object instanceof PyView view) || view.isRange();
    if (indexed && name.equals("index")) {
      return (arguments, scope) -> {
        Object wanted = arguments.bind("index", 1, "value").get(0);
        for (int i = 0; i < items.size(); i++) {
          if (Comparison.equal(items.get(i), wanted, scope.budget())) {
            return (long) i;
          }
        }
        throw new RenderError(
            PyString.repr(wanted, scope.budget()) + " is not in " + Values.typeName(object));
      };
    }
    if (indexed && name.equals("count")) {
      return (arguments, scope) -> {
        Object wanted = arguments.bind("count", 1, "value").get(0);
        return items.stream()
            .filter(item -> Comparison.equal(item, wanted, scope.budget()))
            .count();
      };
    }
    if (object instanceof List<?> && name.equals("copy")) {
      return (arguments, scope) -> {
        arguments.bind("copy", 0);
        return Values.list(object, scope.budget());
      };
    }
    return null;
  }

  /** One element; NONE for None, null if the index is out of range or there are no elements. */
  private static @Nullable Object element(@Nullable Object object, long index, Budget budget) {
    String text = object instanceof Markup markup ? markup.text() : null;
    if (object instanceof String || text != null) {
      text = text == null ? (String) object : text;
      budget.spendText(text.length());
      int length = text.codePointCount(0, text.length());
      long at = index < 0 ? index + length : index;
      return at < 0 || at >= length
          ? null
          : Character.toString(text.codePointAt(text.offsetByCodePoints(0, (int) at)));
    }
    List<@Nullable Object> items = indexable(object);
    long at = items != null && index < 0 ? index + items.size() : index;
    if (items == null || at < 0 || at >= items.size()) {
      return null;
    }
    Object element = items.get((int) at);
    return element == null ? NONE : element;
  }

  /** A slice; unlike an item, an impossible one is an error and not undefined. */
  private static Object part(@Nullable Object object, Slice slice, Budget budget) {
    if (object instanceof String || object instanceof Markup) {
      String text = object instanceof Markup markup ? markup.text() : (String) object;
      budget.spendText(text.length());
      return slice.of(text);
    }
    List<@Nullable Object> items = indexable(object);
    if (items == null) {
      throw new RenderError(
          object instanceof Map
              ? "unhashable type: 'slice'"
              : "'" + Values.typeName(object) + "' object is not subscriptable");
    }
    budget.spend(items.size());
    List<@Nullable Object> taken = slice.of(items);
    return object instanceof PyTuple ? new PyTuple(taken) : taken;
  }

  private static @Nullable List<@Nullable Object> indexable(@Nullable Object object) {
    return object instanceof PyView view && !view.isRange() ? null : Values.itemsOrNull(object);
  }
}
