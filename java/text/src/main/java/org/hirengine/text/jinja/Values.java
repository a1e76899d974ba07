package org.hirengine.text.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Properties of every value: its type's name, truth, length and elements. */
final class Values {

  private Values() {}

  /** Python's name of the value's type. */
  static String typeName(@Nullable Object value) {
    String qualified = value == null ? "NoneType" : qualifiedTypeName(value);
    return qualified.substring(qualified.lastIndexOf('.') + 1);
  }

  /** Python's name of the value's type, with its module unless it is built in. */
  static String qualifiedTypeName(Object value) {
    if (value instanceof PyView view) {
      return view.type();
    }
    if (value instanceof PyCallable) {
      return value instanceof Macro
          ? "jinja2.runtime.Macro"
          : value instanceof Loop ? "jinja2.runtime.LoopContext" : "builtin_function_or_method";
    }
    if (value instanceof List) {
      return "list";
    }
    if (value instanceof Map) {
      return "dict";
    }
    return switch (value.getClass().getSimpleName()) {
      case "Boolean" -> "bool";
      case "Long", "BigInteger" -> "int";
      case "Double" -> "float";
      case "String" -> "str";
      case "PyTuple" -> "tuple";
      case "PyGenerator" -> "generator";
      case "Namespace" -> "jinja2.utils.Namespace";
      case "Undefined" -> "jinja2.runtime.Undefined";
      case "Markup" -> "markupsafe.Markup";
      case "Slice" -> "slice";
      default -> throw new IllegalStateException("no value: " + value.getClass());
    };
  }

  static boolean truth(@Nullable Object value) {
    if (value == null || value instanceof Undefined) {
      return false;
    }
    if (value instanceof Boolean truth) {
      return truth;
    }
    if (value instanceof Long number) {
      return number != 0;
    }
    if (value instanceof Double number) {
      return number != 0;
    }
    int length = knownLength(value);
    return length != 0;
  }

  /** The number of elements, or -1 for values without a known length. */
  static int knownLength(@Nullable Object value) {
    if (value instanceof String text) {
      return text.codePointCount(0, text.length());
    }
    if (value instanceof Markup markup) {
      return knownLength(markup.text());
    }
    if (value instanceof Map<?, ?> dict) {
      return dict.size();
    }
    if (value instanceof Undefined) {
      return 0;
    }
    if (value instanceof Loop loop) {
      return Math.toIntExact(integer(loop.attribute("length")));
    }
    List<@Nullable Object> items = itemsOrNull(value);
    return items == null ? -1 : items.size();
  }

  static long length(@Nullable Object value) {
    int length = knownLength(value);
    if (length < 0) {
      throw new RenderError("object of type '" + typeName(value) + "' has no len()");
    }
    return length;
  }

  /** The elements of a list, tuple, range or dict view; null for anything else. */
  @SuppressWarnings("unchecked")
  static @Nullable List<@Nullable Object> itemsOrNull(@Nullable Object value) {
    if (value instanceof List<?> list) {
      return (List<@Nullable Object>) list;
    }
    if (value instanceof PyTuple tuple) {
      return tuple.items();
    }
    return value instanceof PyView view ? view.items() : null;
  }

  static boolean isIterable(@Nullable Object value) {
    return value instanceof PyGenerator || value instanceof Loop || knownLength(value) >= 0;
  }

  /** Iterates over the elements, charging for all of them in advance if their number is known. */
  static Iterator<@Nullable Object> iterate(@Nullable Object value, Budget budget) {
    if (value instanceof PyGenerator generator) {
      return generator.items();
    }
    if (value instanceof Undefined) {
      return Collections.emptyIterator();
    }
    budget.spend(Math.max(0, knownLength(value)));
    if (value instanceof Map<?, ?> dict) {
      return new ArrayList<@Nullable Object>(dict.keySet()).iterator();
    }
    String text = value instanceof Markup markup ? markup.text() : null;
    if (value instanceof String || text != null) {
      return (text == null ? (String) value : text)
          .codePoints()
          .<@Nullable Object>mapToObj(Character::toString)
          .iterator();
    }
    List<@Nullable Object> items = itemsOrNull(value);
    if (items == null) {
      throw new RenderError("'" + typeName(value) + "' object is not iterable");
    }
    return items.iterator();
  }

  /** The elements as a new list. */
  static List<@Nullable Object> list(@Nullable Object value, Budget budget) {
    List<@Nullable Object> list = new ArrayList<>();
    iterate(value, budget).forEachRemaining(list::add);
    return list;
  }

  static boolean isNumber(@Nullable Object value) {
    return value instanceof Number || value instanceof Boolean;
  }

  /** An integer; booleans are 0 and 1. */
  static long integer(@Nullable Object value) {
    if (value instanceof Long number) {
      return number;
    }
    if (value instanceof Boolean truth) {
      return truth ? 1 : 0;
    }
    if (value instanceof BigInteger) {
      throw RenderError.unsupported("arithmetic beyond 64 bits");
    }
    if (value instanceof Undefined undefined) {
      throw undefined.fault();
    }
    throw new RenderError("'" + typeName(value) + "' object cannot be interpreted as an integer");
  }

  /** Checks that a value can be a dict's key. */
  static @Nullable Object dictKey(@Nullable Object key) {
    if (key instanceof List || key instanceof Map || key instanceof Slice) {
      throw new RenderError("unhashable type: '" + typeName(key) + "'");
    }
    return key instanceof Markup markup ? markup.text() : key;
  }
}
