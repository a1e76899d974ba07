package org.hirengine.text;

/**
 * What Python's {@code json.loads} accepts: NaN and infinities, duplicate keys, any top-level
 * value, lone surrogate escapes; no raw control characters in strings, no leading zeros, no byte
 * order mark.
 *
 * <p>Reads without recursion and builds no values.
 */
public final class PyJson {

  /** The depth at which CPython's scanner roughly reaches its recursion limit. */
  public static final int MAX_DEPTH = 990;

  /** The outcome of reading a text. */
  public enum Result {
    VALID,
    INVALID,
    /** Nested deeper than Python's recursion limit allows: the reference raises. */
    TOO_DEEP
  }

  private final String s;
  private String wanted = "a value";
  private final boolean[] inObject = new boolean[MAX_DEPTH + 1];
  private int position;

  private PyJson(String s) {
    this.s = s;
  }

  /** Reads a whole text. */
  public static Result read(String text) {
    return new PyJson(text).document();
  }

  /**
   * Where and why a text is {@link Result#INVALID}: "at line 2, column 5: 'x', where a comma or '}'
   * belongs".
   */
  public static String problem(String text) {
    PyJson json = new PyJson(text);
    json.document();
    int at = Math.min(json.position, text.length());
    int lineStart = text.lastIndexOf('\n', at - 1) + 1;
    long line = text.substring(0, at).chars().filter(c -> c == '\n').count() + 1;
    String found =
        at == text.length()
            ? "the text ends"
            : "'" + Character.toString(text.codePointAt(at)).replace("\n", "\\n") + "'";
    return "at line "
        + line
        + ", column "
        + (text.codePointCount(lineStart, at) + 1)
        + ": "
        + found
        + ", where "
        + json.wanted
        + " belongs";
  }

  private boolean wanted(String what) {
    wanted = what;
    return false;
  }

  private Result document() {
    int depth = 0;
    boolean valueDone = false;
    skipSpace();
    while (true) {
      if (!valueDone) {
        char c = peek();
        if (c == '{' || c == '[') {
          if (++depth > MAX_DEPTH) {
            return Result.TOO_DEEP;
          }
          inObject[depth] = c == '{';
          position++;
          skipSpace();
          if (peek() == (c == '{' ? '}' : ']')) {
            position++;
            depth--;
            valueDone = true;
          } else if (c == '{' && !key()) {
            return Result.INVALID;
          }
          continue;
        }
        if (!scalar(c)) {
          return Result.INVALID;
        }
        wanted = "a value";
        valueDone = true;
      }
      skipSpace();
      if (depth == 0) {
        wanted("nothing more");
        return position == s.length() ? Result.VALID : Result.INVALID;
      }
      char c = peek();
      wanted("a comma or '" + (inObject[depth] ? '}' : ']') + "'");
      if (c == ',') {
        position++;
        wanted("a value");
        skipSpace();
        if (inObject[depth] && !key()) {
          return Result.INVALID;
        }
        valueDone = false;
      } else if (c == (inObject[depth] ? '}' : ']')) {
        position++;
        depth--;
      } else {
        return Result.INVALID;
      }
    }
  }

  /** The next character, or NUL at the end (which no value begins with). */
  private char peek() {
    return position < s.length() ? s.charAt(position) : '\0';
  }

  private void skipSpace() {
    while (position < s.length() && " \t\n\r".indexOf(s.charAt(position)) >= 0) {
      position++;
    }
  }

  /** A key, the colon, and the space around it. */
  private boolean key() {
    if (peek() != '"') {
      return wanted("a name in double quotes");
    }
    if (!string()) {
      return false;
    }
    skipSpace();
    if (peek() != ':') {
      return wanted("a colon");
    }
    position++;
    wanted("a value");
    skipSpace();
    return true;
  }

  private boolean scalar(char c) {
    return switch (c) {
      case '"' -> string();
      case 't' -> word("true");
      case 'f' -> word("false");
      case 'n' -> word("null");
      case 'N' -> word("NaN");
      case 'I' -> word("Infinity");
      case '-' -> word("-Infinity") || number();
      default -> number();
    };
  }

  private boolean word(String word) {
    if (!s.startsWith(word, position)) {
      return false;
    }
    position += word.length();
    return true;
  }

  private boolean string() {
    position++;
    for (; position < s.length(); position++) {
      char c = s.charAt(position);
      if (c == '"') {
        position++;
        return true;
      }
      if (c < 0x20) {
        return wanted("its escape (such as \\n)");
      }
      if (c == '\\') {
        position++;
        char escaped = peek();
        if (escaped == 'u') {
          for (int i = 0; i < 4; i++) {
            position++;
            if (peek() >= 128 || Character.digit(peek(), 16) < 0) {
              return wanted("a hexadecimal digit");
            }
          }
        } else if (escaped == '\0' || "\"\\/bfnrt".indexOf(escaped) < 0) {
          return wanted("an escape that JSON knows");
        }
      }
    }
    return wanted("the closing double quote");
  }

  private boolean isDigit() {
    return peek() >= '0' && peek() <= '9';
  }

  private void digits() {
    while (isDigit()) {
      position++;
    }
  }

  /** {@code -?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?}, as far as the text matches. */
  private boolean number() {
    if (peek() == '-') {
      position++;
    }
    if (!isDigit()) {
      return false;
    }
    if (peek() == '0') {
      position++;
    } else {
      digits();
    }
    int end = position;
    if (peek() == '.') {
      position++;
      if (isDigit()) {
        digits();
        end = position;
      }
      position = end;
    }
    if (peek() == 'e' || peek() == 'E') {
      position++;
      if (peek() == '+' || peek() == '-') {
        position++;
      }
      if (isDigit()) {
        digits();
        end = position;
      }
      position = end;
    }
    return true;
  }
}
