package org.hirengine.text.jinja;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.hirengine.text.PyRepr;
import org.jspecify.annotations.Nullable;

/** Values as text in Python: {@code str()}, {@code repr()}, and string literals. */
final class PyString {

  private PyString() {}

  /** What {@code {{ value }}} prints. */
  static String of(@Nullable Object value, Budget budget) {
    if (value instanceof String text) {
      return text;
    }
    if (value instanceof Markup markup) {
      return markup.text();
    }
    return value instanceof Undefined ? "" : repr(value, budget);
  }

  static String repr(@Nullable Object value, Budget budget) {
    StringBuilder out = new StringBuilder();
    repr(value, out, budget);
    return out.toString();
  }

  private static void repr(@Nullable Object value, StringBuilder out, Budget budget) {
    budget.spend(1);
    if (value == null) {
      out.append("None");
    } else if (value instanceof Boolean truth) {
      out.append(truth ? "True" : "False");
    } else if (value instanceof Double number) {
      out.append(PyRepr.of(number));
    } else if (value instanceof Number) {
      out.append(value);
    } else if (value instanceof String text) {
      budget.spendText(text.length());
      out.append(PyRepr.of(text));
    } else if (value instanceof List<?> list) {
      elements("[", list, "]", out, budget);
    } else if (value instanceof PyTuple tuple) {
      elements("(", tuple.items(), tuple.items().size() == 1 ? ",)" : ")", out, budget);
    } else if (value instanceof Map<?, ?> dict) {
      dict(dict, out, budget);
    } else if (value instanceof PyView view) {
      if (view.repr() != null) {
        out.append(view.repr());
      } else {
        elements(view.type() + "([", view.items(), "])", out, budget);
      }
    } else if (value instanceof Undefined) {
      out.append("Undefined");
    } else if (value instanceof Markup markup) {
      out.append("Markup(").append(PyRepr.of(markup.text())).append(')');
    } else if (value instanceof Namespace namespace) {
      out.append("<Namespace ");
      dict(namespace.attributes(), out, budget);
      out.append('>');
    } else if (value instanceof Slice slice) {
      elements(
          "slice(", Arrays.asList(slice.start(), slice.stop(), slice.step()), ")", out, budget);
    } else {
      throw new RenderError(
          "a "
              + Values.typeName(value)
              + " cannot be printed"
              + (value instanceof PyGenerator
                  ? "; put the filter 'list' or 'join' behind it"
                  : ""));
    }
  }

  private static void elements(
      String open, List<?> items, String close, StringBuilder out, Budget budget) {
    out.append(open);
    String separator = "";
    for (Object item : items) {
      out.append(separator);
      repr(item, out, budget);
      separator = ", ";
    }
    out.append(close);
  }

  private static void dict(Map<?, ?> dict, StringBuilder out, Budget budget) {
    out.append('{');
    String separator = "";
    for (Map.Entry<?, ?> entry : dict.entrySet()) {
      out.append(separator);
      repr(entry.getKey(), out, budget);
      out.append(": ");
      repr(entry.getValue(), out, budget);
      separator = ", ";
    }
    out.append('}');
  }

  /** The value of a string literal's inside, as Python's unicode-escape reads it. */
  static String unescape(String literal) {
    if (literal.indexOf('\\') < 0) {
      return literal;
    }
    StringBuilder text = new StringBuilder(literal.length());
    int i = 0;
    while (i < literal.length()) {
      char c = literal.charAt(i++);
      if (c != '\\' || i == literal.length()) {
        text.append(c);
        continue;
      }
      char escape = literal.charAt(i++);
      switch (escape) {
        case '\n' -> {}
        case '\\', '\'', '"' -> text.append(escape);
        case 'a' -> text.append('\u0007');
        case 'b' -> text.append('\b');
        case 'f' -> text.append('\f');
        case 'n' -> text.append('\n');
        case 'r' -> text.append('\r');
        case 't' -> text.append('\t');
        case 'v' -> text.append('\u000B');
        case 'x' -> i = hex(literal, i, 2, text);
        case 'u' -> i = hex(literal, i, 4, text);
        case 'U' -> i = hex(literal, i, 8, text);
        case 'N' -> i = named(literal, i, text);
        case '0', '1', '2', '3', '4', '5', '6', '7' -> {
          int end = i;
          while (end < literal.length()
              && end < i + 2
              && "01234567".indexOf(literal.charAt(end)) >= 0) {
            end++;
          }
          text.append((char) Integer.parseInt(literal.substring(i - 1, end), 8));
          i = end;
        }
        default -> text.append('\\').append(escape);
      }
    }
    return text.toString();
  }

  private static int hex(String literal, int start, int digits, StringBuilder text) {
    int end = start + digits;
    try {
      text.appendCodePoint(Integer.parseUnsignedInt(literal.substring(start, end), 16));
    } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
      throw new RenderError("a string has an escape without its " + digits + " hex digits");
    }
    return end;
  }

  private static int named(String literal, int start, StringBuilder text) {
    int end = literal.indexOf('}', start);
    try {
      text.appendCodePoint(Character.codePointOf(literal.substring(start + 1, end)));
    } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
      throw new RenderError("a string has an escape \\N{...} with an unknown name");
    }
    return end + 1;
  }
}
