package org.hirengine.text;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A value as Python's {@code repr} prints it (lists, tuples, dicts with string keys, strings,
 * numbers, True, False and None) or as JSON. Data only: nothing is evaluated.
 *
 * <p>Values are lists, maps, strings, Integer, Long, BigInteger, Double, Boolean and null.
 */
public final class PyLiteral {

  private static final int MAX_DEPTH = 100;

  private final String text;
  private int at;
  private int depth;

  private PyLiteral(String text) {
    this.text = text;
  }

  /**
   * Reads a whole text.
   *
   * @throws IllegalArgumentException saying what was found where
   */
  public static @Nullable Object parse(String text) {
    PyLiteral literal = new PyLiteral(text);
    Object value = literal.value();
    literal.space();
    if (literal.at < text.length()) {
      throw literal.fault("something behind the value");
    }
    return value;
  }

  private @Nullable Object value() {
    space();
    if (++depth > MAX_DEPTH) {
      throw fault("more than " + MAX_DEPTH + " brackets inside each other");
    }
    char c = peek();
    Object value;
    if (c == '[' || c == '(') {
      value = list(c == '[' ? ']' : ')');
    } else if (c == '{') {
      value = dict();
    } else if (c == '\'' || c == '"') {
      value = string();
    } else {
      value = word();
    }
    depth--;
    return value;
  }

  private List<@Nullable Object> list(char end) {
    List<@Nullable Object> list = new ArrayList<>();
    at++;
    while (!closed(end)) {
      list.add(value());
      separator(end);
    }
    return list;
  }

  private Map<String, @Nullable Object> dict() {
    Map<String, @Nullable Object> dict = new LinkedHashMap<>();
    at++;
    while (!closed('}')) {
      if (peek() != '\'' && peek() != '"') {
        throw fault("a key that is not a string");
      }
      String key = string();
      space();
      if (peek() != ':') {
        throw fault("no colon behind a key");
      }
      at++;
      dict.put(key, value());
      separator('}');
    }
    return dict;
  }

  /** Whether the bracket closes here; if so, moves past it. */
  private boolean closed(char end) {
    space();
    boolean closed = peek() == end;
    at += closed ? 1 : 0;
    return closed;
  }

  private void separator(char end) {
    space();
    if (peek() == ',') {
      at++;
    } else if (peek() != end) {
      throw fault("neither a comma nor '" + end + "'");
    }
  }

  private String string() {
    char quote = peek();
    StringBuilder string = new StringBuilder();
    for (at++; peek() != quote; at++) {
      if (peek() == '\\') {
        at++;
        escape(string);
      } else {
        string.append(peek());
      }
    }
    at++;
    return string.toString();
  }

  /** Python's escapes; an unknown one keeps its backslash, except JSON's {@code \/}. */
  private void escape(StringBuilder string) {
    char c = peek();
    switch (c) {
      case 'n' -> string.append('\n');
      case 't' -> string.append('\t');
      case 'r' -> string.append('\r');
      case 'b' -> string.append('\b');
      case 'f' -> string.append('\f');
      case 'v' -> string.append('\u000B');
      case 'a' -> string.append('\u0007');
      case '0' -> string.append('\0');
      case '\\', '\'', '"', '/' -> string.append(c);
      case 'x' -> string.appendCodePoint(hex(2));
      case 'u' -> string.appendCodePoint(hex(4));
      case 'U' -> string.appendCodePoint(hex(8));
      default -> string.append('\\').append(c);
    }
  }

  private int hex(int digits) {
    int from = at + 1;
    if (from + digits > text.length()) {
      throw fault("an escape that is cut off");
    }
    String number = text.substring(from, from + digits);
    at += digits;
    try {
      int code = Integer.parseInt(number, 16);
      if (Character.isValidCodePoint(code)) {
        return code;
      }
    } catch (NumberFormatException e) {
      // reported below
    }
    throw fault("the escape '" + number + "'");
  }

  private @Nullable Object word() {
    int from = at;
    while (at < text.length() && inWord(text.charAt(at))) {
      at++;
    }
    String word = text.substring(from, at);
    if (word.equals("None") || word.equals("null")) {
      return null;
    }
    if (word.equals("True") || word.equals("true")) {
      return true;
    }
    if (word.equals("False") || word.equals("false")) {
      return false;
    }
    if (word.matches("[+-]?\\d{1,1000}")) {
      BigInteger number = new BigInteger(word);
      if (number.bitLength() < 32) {
        return number.intValue();
      }
      return number.bitLength() < 64 ? (Object) number.longValue() : number;
    }
    if (word.matches("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?")) {
      return Double.parseDouble(word);
    }
    at = from;
    throw fault("neither a string, a number, a list nor a dict");
  }

  private static boolean inWord(char c) {
    return Character.isLetterOrDigit(c) || "+-._".indexOf(c) >= 0;
  }

  private void space() {
    while (at < text.length() && text.charAt(at) <= ' ') {
      at++;
    }
  }

  private char peek() {
    if (at >= text.length()) {
      throw fault("the end of the text");
    }
    return text.charAt(at);
  }

  private IllegalArgumentException fault(String found) {
    return new IllegalArgumentException("has at character " + (at + 1) + " " + found);
  }
}
