package org.hirengine.text.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.hirengine.text.jinja.Token.Kind;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a template into tokens and does all of Jinja's whitespace control on the way: a {@code -} in
 * a tag strips on its side, a block's or comment's tag swallows the newline after it ({@code
 * trim_blocks}) and the indentation before it ({@code lstrip_blocks}) unless it carries a {@code
 * +}, and one newline at the end of the template is dropped.
 */
final class Lexer {

  // Longest first, so that "**" is not read as two "*".
  private static final List<String> OPERATORS =
      List.of(
          "**", "//", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{",
          "}", ">", "<", "=", ".", ":", "|", ",", ";");

  private static final Pattern RAW_BEGIN = Pattern.compile("\\{%[-+]?\\s*raw\\s*(-?)%\\}");
  private static final Pattern RAW_END = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*([-+]?)%\\}");
  private static final Pattern FLOAT =
      Pattern.compile(
          "(?<!\\.)(?:\\d+_)*\\d+"
              + "(?:(?:\\.(?:\\d+_)*\\d+)?[eE][+-]?(?:\\d+_)*\\d+|\\.(?:\\d+_)*\\d+)");
  private static final Pattern INTEGER =
      Pattern.compile(
          "0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[0-9a-fA-F])+|[1-9](?:_?\\d)*|0(?:_?0)*");

  private final String template;
  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private final Deque<Character> open = new ArrayDeque<>();
  private int pos;
  private int line = 1;

  private Lexer(String source, String template) {
    this.template = template;
    String lines = source.replace("\r\n", "\n").replace('\r', '\n');
    this.source = lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines;
  }

  /**
   * The tokens of a template, the last one of kind {@link Kind#END}.
   *
   * @throws TemplateException for a tag, comment, raw block or string without an end, an unknown
   *     character, or brackets that do not match
   */
  static List<Token> tokenize(String source, String template) {
    Lexer lexer = new Lexer(source, template);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    while (pos < source.length()) {
      int tag = nextTag();
      if (tag < 0) {
        data(source.substring(pos));
        advance(source.length());
        break;
      }
      char kind = source.charAt(tag + 1);
      char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
      boolean signed = sign == '-' || sign == '+';
      data(leading(source.substring(pos, tag), sign, kind == '{'));
      advance(tag);
      Matcher raw = RAW_BEGIN.matcher(source).region(pos, source.length());
      if (raw.lookingAt()) {
        advance(raw.end());
        trailing(sign(raw.group(1)), false);
        raw();
        continue;
      }
      int begin = line;
      advance(tag + (signed ? 3 : 2));
      if (kind == '#') {
        comment(begin);
      } else if (kind == '{') {
        add(Kind.VARIABLE_BEGIN, "{{", null);
        inside(false, begin);
      } else {
        add(Kind.BLOCK_BEGIN, "{%", null);
        inside(true, begin);
      }
    }
    add(Kind.END, "", null);
  }

  private int nextTag() {
    for (int at = source.indexOf('{', pos); at >= 0; at = source.indexOf('{', at + 1)) {
      if (at + 1 < source.length() && "{%#".indexOf(source.charAt(at + 1)) >= 0) {
        return at;
      }
    }
    return -1;
  }

  /** Text before a tag, without what the tag strips from it. */
  private String leading(String text, char sign, boolean variable) {
    if (sign == '-') {
      return PyText.stripTrailing(text);
    }
    if (sign == '+' || variable) {
      return text;
    }
    int lineStart = text.lastIndexOf('\n') + 1;
    boolean startsLine = lineStart > 0 || pos == 0 || source.charAt(pos - 1) == '\n';
    return startsLine && PyText.stripTrailing(text.substring(lineStart)).isEmpty()
        ? text.substring(0, lineStart)
        : text;
  }

  private void comment(int begin) {
    int end = source.indexOf("#}", pos);
    if (end < 0) {
      throw fault(begin, "the comment '{#' is never closed by '#}'");
    }
    char sign = end > pos ? source.charAt(end - 1) : ' ';
    advance(end + 2);
    trailing(sign, true);
  }

  private void raw() {
    int begin = line;
    Matcher end = RAW_END.matcher(source).region(pos, source.length());
    if (!end.find()) {
      throw fault(begin, "the block 'raw' is never closed by '{% endraw %}'");
    }
    data(leading(source.substring(pos, end.start()), sign(end.group(1)), false));
    advance(end.end());
    trailing(sign(end.group(2)), true);
  }

  private static char sign(String written) {
    return written.isEmpty() ? ' ' : written.charAt(0);
  }

  /** Skips what the sign at a tag's end, or trim_blocks, swallows. */
  private void trailing(char sign, boolean block) {
    if (sign == '-') {
      int end = pos;
      while (end < source.length() && PyChars.isSpace(source.charAt(end))) {
        end++;
      }
      advance(end);
    } else if (sign != '+' && block && pos < source.length() && source.charAt(pos) == '\n') {
      advance(pos + 1);
    }
  }

  /** The tokens of one tag, including its end. */
  private void inside(boolean block, int begin) {
    open.clear();
    while (true) {
      if (pos >= source.length()) {
        throw fault(begin, block ? "'{%' is never closed by '%}'" : "'{{' is never closed by '}}'");
      }
      if (open.isEmpty() && end(block)) {
        return;
      }
      char c = source.charAt(pos);
      if (PyChars.isSpace(c)) {
        advance(pos + 1);
      } else if (c == '\'' || c == '"') {
        string(c);
      } else if (!number() && !name()) {
        operator();
      }
    }
  }

  private boolean end(boolean block) {
    String close = block ? "%}" : "}}";
    char sign = source.charAt(pos);
    boolean signed = sign == '-' || (block && sign == '+');
    if (!source.startsWith(close, signed ? pos + 1 : pos)) {
      return false;
    }
    advance(pos + (signed ? 3 : 2));
    add(block ? Kind.BLOCK_END : Kind.VARIABLE_END, close, null);
    trailing(signed ? sign : ' ', block);
    return true;
  }

  private boolean number() {
    Matcher number = FLOAT.matcher(source).region(pos, source.length());
    if (number.useTransparentBounds(true).lookingAt()) {
      String text = number.group();
      add(Kind.NUMBER, text, Double.valueOf(text.replace("_", "")));
      advance(number.end());
      return true;
    }
    number.usePattern(INTEGER);
    if (!number.lookingAt()) {
      return false;
    }
    String text = number.group();
    String digits = text.replace("_", "").toLowerCase(java.util.Locale.ROOT);
    int radix = digits.startsWith("0b") ? 2 : digits.startsWith("0o") ? 8 : 10;
    radix = digits.startsWith("0x") ? 16 : radix;
    try {
      add(Kind.NUMBER, text, Long.valueOf(radix == 10 ? digits : digits.substring(2), radix));
    } catch (NumberFormatException e) {
      throw fault(line, "the integer " + text + " is beyond 64 bits, which is not supported");
    }
    advance(number.end());
    return true;
  }

  private boolean name() {
    int end = pos;
    while (end < source.length()) {
      int c = source.codePointAt(end);
      if ((c != '_' && !Character.isUnicodeIdentifierPart(c))
          || Character.isIdentifierIgnorable(c)) {
        break;
      }
      end += Character.charCount(c);
    }
    int first = source.codePointAt(pos);
    if (end == pos || !(first == '_' || Character.isUnicodeIdentifierStart(first))) {
      return false;
    }
    add(Kind.NAME, source.substring(pos, end), null);
    advance(end);
    return true;
  }

  private void string(char quote) {
    int end = pos + 1;
    while (end < source.length() && source.charAt(end) != quote) {
      end += source.charAt(end) == '\\' ? 2 : 1;
    }
    if (end >= source.length()) {
      throw fault(line, "the string is never closed by " + quote);
    }
    String text = source.substring(pos + 1, end);
    try {
      add(Kind.STRING, text, PyString.unescape(text));
    } catch (RenderError e) {
      throw fault(line, e.getMessage());
    }
    advance(end + 1);
  }

  private void operator() {
    for (String operator : OPERATORS) {
      if (source.startsWith(operator, pos)) {
        balance(operator.charAt(0));
        add(Kind.OPERATOR, operator, null);
        advance(pos + operator.length());
        return;
      }
    }
    throw fault(line, "unexpected character '" + Character.toString(source.codePointAt(pos)) + "'");
  }

  /** Inside brackets, "}}" closes two of them and not the tag. */
  private void balance(char c) {
    switch (c) {
      case '{' -> open.push('}');
      case '(' -> open.push(')');
      case '[' -> open.push(']');
      case '}', ')', ']' -> {
        if (open.isEmpty()) {
          throw fault(line, "unexpected '" + c + "'");
        }
        char expected = open.pop();
        if (expected != c) {
          throw fault(line, "unexpected '" + c + "', expected '" + expected + "'");
        }
      }
      default -> {}
    }
  }

  private void data(String text) {
    if (!text.isEmpty()) {
      add(Kind.DATA, text, null);
    }
  }

  private void add(Kind kind, String text, @Nullable Object value) {
    tokens.add(new Token(kind, text, value, line));
  }

  private void advance(int to) {
    for (; pos < to; pos++) {
      if (source.charAt(pos) == '\n') {
        line++;
      }
    }
  }

  private TemplateException fault(int at, String problem) {
    return new TemplateException(template, at, problem);
  }
}
