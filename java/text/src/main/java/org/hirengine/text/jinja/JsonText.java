package org.hirengine.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.hirengine.text.PyRepr;
import org.hirengine.text.jinja.CallArguments.Bound;
import org.jspecify.annotations.Nullable;

/**
 * The filter {@code tojson} as transformers defines it: {@code json.dumps} without escaping HTML.
 */
final class JsonText {

  private final boolean ascii;
  private final @Nullable String indent;
  private final String itemSeparator;
  private final String keySeparator;
  private final boolean sortKeys;
  private final Budget budget;
  private final StringBuilder out = new StringBuilder();

  private JsonText(Bound options, Budget budget) {
    this.ascii = options.truth(0);
    this.indent = indent(options.get(1, null), budget);
    Object separators = options.get(2, null);
    if (separators == null) {
      itemSeparator = indent == null ? ", " : ",";
      keySeparator = ": ";
    } else {
      List<@Nullable Object> pair = Values.list(separators, budget);
      if (pair.size() != 2) {
        throw new RenderError("tojson: separators must be a pair");
      }
      itemSeparator = PyString.of(pair.get(0), budget);
      keySeparator = PyString.of(pair.get(1), budget);
    }
    this.sortKeys = options.truth(3);
    this.budget = budget;
  }

  private static @Nullable String indent(@Nullable Object indent, Budget budget) {
    if (indent == null || indent instanceof String) {
      return (String) indent;
    }
    long width = Math.max(0, Values.integer(indent));
    budget.spendText(width);
    return " ".repeat((int) width);
  }

  /**
   * Writes a value as JSON.
   *
   * @param arguments {@code ensure_ascii=false, indent=none, separators=none, sort_keys=false}
   */
  static String of(@Nullable Object value, CallArguments arguments, Budget budget) {
    Bound options =
        arguments.bind("tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys");
    JsonText json = new JsonText(options, budget);
    json.write(value, 0);
    return json.out.toString();
  }

  private void write(@Nullable Object value, int depth) {
    budget.spend(1);
    if (value == null) {
      out.append("null");
    } else if (value instanceof Boolean) {
      out.append(value);
    } else if (value instanceof Double number) {
      out.append(number(number));
    } else if (value instanceof Number) {
      out.append(value);
    } else if (value instanceof String text) {
      string(text);
    } else if (value instanceof Markup markup) {
      string(markup.text());
    } else if (value instanceof List<?> list) {
      array(list, depth);
    } else if (value instanceof PyTuple tuple) {
      array(tuple.items(), depth);
    } else if (value instanceof Map<?, ?> dict) {
      object(dict, depth);
    } else {
      throw new RenderError(
          "Object of type "
              + Values.typeName(value)
              + " is not JSON serializable"
              + (value instanceof Undefined undefined ? " (" + undefined.message() + ")" : ""));
    }
  }

  private static String number(double number) {
    if (Double.isNaN(number)) {
      return "NaN";
    }
    return Double.isInfinite(number) ? (number > 0 ? "Infinity" : "-Infinity") : PyRepr.of(number);
  }

  private void array(List<?> items, int depth) {
    if (items.isEmpty()) {
      out.append("[]");
      return;
    }
    out.append('[');
    for (int i = 0; i < items.size(); i++) {
      separate(i, depth + 1);
      write(items.get(i), depth + 1);
    }
    newLine(depth);
    out.append(']');
  }

  private void object(Map<?, ?> dict, int depth) {
    if (dict.isEmpty()) {
      out.append("{}");
      return;
    }
    List<Map.Entry<?, ?>> entries = new ArrayList<>(dict.entrySet());
    if (sortKeys) {
      entries.sort((a, b) -> Comparison.order(a.getKey(), b.getKey(), budget));
    }
    out.append('{');
    for (int i = 0; i < entries.size(); i++) {
      separate(i, depth + 1);
      string(key(entries.get(i).getKey()));
      out.append(keySeparator);
      write(entries.get(i).getValue(), depth + 1);
    }
    newLine(depth);
    out.append('}');
  }

  private String key(@Nullable Object key) {
    if (key instanceof String text) {
      return text;
    }
    if (key == null) {
      return "null";
    }
    if (key instanceof Double number) {
      return number(number);
    }
    if (key instanceof Boolean || key instanceof Number) {
      return key.toString();
    }
    throw new RenderError(
        "keys must be str, int, float, bool or None, not " + Values.typeName(key));
  }

  private void separate(int index, int depth) {
    if (index > 0) {
      out.append(itemSeparator);
    }
    newLine(depth);
  }

  private void newLine(int depth) {
    if (indent != null) {
      budget.spendText((long) indent.length() * depth);
      out.append('\n').append(indent.repeat(depth));
    }
  }

  private void string(String text) {
    budget.spendText(text.length());
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\f' -> out.append("\\f");
        case '\b' -> out.append("\\b");
        default -> {
          if (c < 0x20 || (ascii && c > 0x7E)) {
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
