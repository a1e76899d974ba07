package org.hirengine.text.regex;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.hirengine.text.PyChars;
import org.hirengine.text.regex.CharSet.Category;
import org.hirengine.text.regex.Node.Anchor;
import org.hirengine.text.regex.Node.Repeat;
import org.jspecify.annotations.Nullable;

/**
 * Reads Python 3.11's pattern syntax ({@code re._parser}) for {@code str} patterns: accepts what
 * Python accepts and refuses the rest with {@link PyPatternException}.
 */
final class PatternParser {

  /** Deeper nesting than this is refused (Python runs into its recursion limit). */
  private static final int MAX_DEPTH = 100;

  private static final long MAX_REPEAT = 4294967295L;

  private final String pattern;
  private final int[] source;
  private final Map<String, Integer> names = new HashMap<>();
  private final List<Integer> conditions = new ArrayList<>();
  private final Set<Integer> openGroups = new HashSet<>();
  private int groupCount;

  /** Groups from this number on were opened within the lookbehind being read; -1 outside of one. */
  private int lookbehindGroups = -1;

  private int position;
  private int depth;
  private int flags;

  PatternParser(String pattern, int flags) {
    this.pattern = pattern;
    this.source = pattern.codePoints().toArray();
    this.flags = flags;
  }

  Node parse() {
    Node node = alternatives(flags, true);
    if (position < source.length) {
      throw error("unbalanced parenthesis");
    }
    for (int group : conditions) {
      if (group > groupCount) {
        throw error("invalid group reference " + group);
      }
    }
    return node;
  }

  /** How many capturing groups the pattern has. */
  int groupCount() {
    return groupCount;
  }

  Map<String, Integer> groupNames() {
    return names;
  }

  private PyPatternException error(String problem) {
    return new PyPatternException(problem, pattern, position);
  }

  private int peek() {
    return position < source.length ? source[position] : -1;
  }

  private boolean accept(int c) {
    if (peek() == c) {
      position++;
      return true;
    }
    return false;
  }

  private int next(String problemAtEnd) {
    if (position >= source.length) {
      throw error(problemAtEnd);
    }
    return source[position++];
  }

  private Node alternatives(int activeFlags, boolean top) {
    if (++depth > MAX_DEPTH) {
      throw error("pattern is nested too deeply");
    }
    List<Node> options = new ArrayList<>();
    int inForce = activeFlags;
    do {
      options.add(sequence(inForce, top && options.isEmpty()));
      inForce = top ? flags : inForce;
    } while (accept('|'));
    depth--;
    return options.size() == 1 ? options.get(0) : new Node.Branch(options);
  }

  private Node sequence(int activeFlags, boolean first) {
    int inForce = activeFlags;
    List<Node> items = new ArrayList<>();
    boolean atStart = first;
    while (true) {
      int c = peek();
      if (c == -1 || c == '|' || c == ')') {
        return items.size() == 1 ? items.get(0) : new Node.Sequence(items);
      }
      position++;
      if ((inForce & PyPattern.VERBOSE) != 0) {
        if (c < 128 && " \t\n\r\u000B\f".indexOf(c) >= 0) {
          continue;
        }
        if (c == '#') {
          while (peek() != -1 && source[position++] != '\n') {}
          continue;
        }
      }
      switch (c) {
        case '\\' -> items.add(escape(inForce));
        case '[' -> items.add(new Node.One(charClass(inForce)));
        case '.' -> items.add(new Node.One(CharSet.dot((inForce & PyPattern.DOTALL) != 0)));
        case '^' ->
            items.add(
                new Node.At(
                    (inForce & PyPattern.MULTILINE) != 0 ? Anchor.LINE_START : Anchor.TEXT_START));
        case '$' ->
            items.add(
                new Node.At(
                    (inForce & PyPattern.MULTILINE) != 0
                        ? Anchor.LINE_END
                        : Anchor.TEXT_END_OR_NEWLINE));
        case '*', '+', '?', '{' -> repeat(c, items, inForce);
        case '(' -> {
          int flagsBefore = flags;
          Node group = group(inForce, atStart && items.isEmpty());
          if (group != null) {
            items.add(group);
          } else if (flags != flagsBefore) {
            inForce = flags;
          }
        }
        default -> items.add(literal(c, inForce));
      }
    }
  }

  private static Node literal(int c, int activeFlags) {
    return new Node.One(CharSet.literal(c, (activeFlags & PyPattern.IGNORECASE) != 0));
  }

  private void repeat(int c, List<Node> items, int activeFlags) {
    int start = position;
    long min = c == '+' ? 1 : 0;
    long max = c == '?' ? 1 : MAX_REPEAT;
    if (c == '{') {
      if (peek() == '}') {
        items.add(literal('{', activeFlags));
        return;
      }
      String low = digits();
      String high = accept(',') ? digits() : low;
      if (!accept('}')) {
        items.add(literal('{', activeFlags));
        position = start;
        return;
      }
      min = bound(low, 0);
      max = bound(high, MAX_REPEAT);
      if (max < min) {
        throw error("min repeat greater than max repeat");
      }
    }
    Node item = items.isEmpty() ? null : items.get(items.size() - 1);
    if (item == null || item instanceof Node.At) {
      throw error("nothing to repeat");
    }
    if (item instanceof Repeat) {
      throw error("multiple repeat");
    }
    Repeat.Kind kind =
        accept('?') ? Repeat.Kind.LAZY : accept('+') ? Repeat.Kind.POSSESSIVE : Repeat.Kind.GREEDY;
    items.set(
        items.size() - 1,
        new Repeat(
            item,
            (int) Math.min(min, Integer.MAX_VALUE),
            (int) Math.min(max, Integer.MAX_VALUE),
            kind));
  }

  private String digits() {
    StringBuilder digits = new StringBuilder();
    while (peek() >= '0' && peek() <= '9') {
      digits.append((char) source[position++]);
    }
    return digits.toString();
  }

  private long bound(String digits, long absent) {
    if (digits.isEmpty()) {
      return absent;
    }
    if (digits.length() > 10 || Long.parseLong(digits) >= MAX_REPEAT) {
      throw error("the repetition number is too large");
    }
    return Long.parseLong(digits);
  }

  /** What follows an opening parenthesis; null if it matches nothing (comment, flags). */
  private @Nullable Node group(int activeFlags, boolean atStart) {
    if (!accept('?')) {
      return capturing(null, activeFlags);
    }
    int c = next("unexpected end of pattern");
    switch (c) {
      case 'P' -> {
        if (accept('<')) {
          return capturing(groupName('>'), activeFlags);
        }
        if (accept('=')) {
          String name = groupName(')');
          Integer number = names.get(name);
          if (number == null) {
            throw error("unknown group name '" + name + "'");
          }
          return reference(number, activeFlags);
        }
        throw error("unknown extension ?P");
      }
      case ':' -> {
        return wrapped(closed(alternatives(activeFlags, false)));
      }
      case '>' -> {
        return new Node.Atomic(closed(alternatives(activeFlags, false)));
      }
      case '#' -> {
        while (next("missing ), unterminated comment") != ')') {}
        return null;
      }
      case '=', '!' -> {
        return new Node.Look(closed(alternatives(activeFlags, false)), true, c == '!');
      }
      case '<' -> {
        int direction = next("unexpected end of pattern");
        if (direction != '=' && direction != '!') {
          throw error("unknown extension ?<");
        }
        return lookbehind(direction == '!', activeFlags);
      }
      case '(' -> {
        return conditional(activeFlags);
      }
      default -> {
        position--;
        return flagGroup(activeFlags, atStart);
      }
    }
  }

  /** A group that does not capture counts as one item, whatever it holds. */
  private static Node wrapped(Node body) {
    return new Node.Sequence(List.of(body));
  }

  private Node closed(Node body) {
    if (!accept(')')) {
      throw error("missing ), unterminated subpattern");
    }
    return body;
  }

  private Node capturing(@Nullable String name, int activeFlags) {
    int number = ++groupCount;
    if (name != null && names.putIfAbsent(name, number) != null) {
      throw error("redefinition of group name '" + name + "'");
    }
    openGroups.add(number);
    Node body = closed(alternatives(activeFlags, false));
    openGroups.remove(number);
    return new Node.Group(number, body);
  }

  private Node lookbehind(boolean negative, int activeFlags) {
    int outer = lookbehindGroups;
    if (outer < 0) {
      lookbehindGroups = groupCount + 1;
    }
    Node body = closed(alternatives(activeFlags, false));
    lookbehindGroups = outer;
    long[] width = body.width();
    if (width[0] != width[1]) {
      throw error("look-behind requires fixed-width pattern");
    }
    return new Node.Look(body, false, negative);
  }

  private Node conditional(int activeFlags) {
    String name = untilClose(')');
    int group;
    if (name.chars().allMatch(d -> d >= '0' && d <= '9') && name.length() < 9) {
      group = Integer.parseInt(name);
      if (group == 0) {
        throw error("bad group number");
      }
      conditions.add(group);
    } else {
      Integer number = names.get(name);
      if (number == null) {
        throw error("unknown group name '" + name + "'");
      }
      group = number;
    }
    Node body = closed(alternatives(activeFlags, false));
    List<Node> options = body instanceof Node.Branch branch ? branch.options() : List.of(body);
    if (options.size() > 2) {
      throw error("conditional backref with more than two branches");
    }
    return new Node.Conditional(
        group, options.get(0), options.size() == 2 ? options.get(1) : new Node.Sequence(List.of()));
  }

  private String untilClose(int close) {
    StringBuilder name = new StringBuilder();
    for (int c; (c = next("missing " + (char) close + ", unterminated name")) != close; ) {
      name.appendCodePoint(c);
    }
    if (name.isEmpty()) {
      throw error("missing group name");
    }
    return name.toString();
  }

  private String groupName(int close) {
    String name = untilClose(close);
    int first = name.codePointAt(0);
    if (!(first == '_' || PyChars.isAlpha(first)) || !name.codePoints().allMatch(PyChars::isWord)) {
      throw error("bad character in group name '" + name + "'");
    }
    return name;
  }

  private Node reference(int group, int activeFlags) {
    if (openGroups.contains(group)) {
      throw error("cannot refer to an open group");
    }
    if (lookbehindGroups >= 0 && group >= lookbehindGroups) {
      throw error("cannot refer to group defined in the same lookbehind subpattern");
    }
    return new Node.BackReference(group, (activeFlags & PyPattern.IGNORECASE) != 0);
  }

  /** {@code (?flags)} for the whole pattern, or {@code (?flags-flags:...)} for a part of it. */
  private @Nullable Node flagGroup(int activeFlags, boolean atStart) {
    int add = 0;
    int remove = 0;
    boolean removing = false;
    while (true) {
      int c = next("missing -, : or )");
      if (c == ')' && !removing) {
        if (!atStart) {
          throw error("global flags not at the start of the expression");
        }
        flags |= add;
        return null;
      } else if (c == ':') {
        if (removing && remove == 0) {
          throw error("missing flag");
        }
        return wrapped(closed(alternatives((activeFlags | add) & ~remove, false)));
      } else if (c == '-' && !removing) {
        removing = true;
      } else {
        int flag = flag(c);
        if (removing) {
          if (flag == PyPattern.ASCII || c == 'u') {
            throw error("bad inline flags: cannot turn off flags 'a', 'u' and 'L'");
          }
          remove |= flag;
        } else {
          add |= flag;
        }
        if ((add & remove) != 0) {
          throw error("bad inline flags: flag turned on and off");
        }
      }
    }
  }

  private int flag(int c) {
    return switch (c) {
      case 'i' -> PyPattern.IGNORECASE;
      case 'm' -> PyPattern.MULTILINE;
      case 's' -> PyPattern.DOTALL;
      case 'x' -> PyPattern.VERBOSE;
      case 'a' -> PyPattern.ASCII;
      case 'u' -> 0;
      default -> throw error("unknown extension ?" + Character.toString(c));
    };
  }

  private Node escape(int activeFlags) {
    int c = next("bad escape (end of pattern)");
    boolean ascii = (activeFlags & PyPattern.ASCII) != 0;
    switch (c) {
      case 'A' -> {
        return new Node.At(Anchor.TEXT_START);
      }
      case 'Z' -> {
        return new Node.At(Anchor.TEXT_END);
      }
      case 'b' -> {
        return new Node.At(ascii ? Anchor.ASCII_WORD_BOUNDARY : Anchor.WORD_BOUNDARY);
      }
      case 'B' -> {
        return new Node.At(ascii ? Anchor.NOT_ASCII_WORD_BOUNDARY : Anchor.NOT_WORD_BOUNDARY);
      }
      case 'd', 'D', 's', 'S', 'w', 'W' -> {
        return new Node.One(
            new CharSet(
                new int[0],
                List.of(category(c, ascii)),
                false,
                (activeFlags & PyPattern.IGNORECASE) != 0));
      }
      default -> {}
    }
    if (c >= '1' && c <= '9') {
      return numberedEscape(c, activeFlags);
    }
    return literal(c == '0' ? octal(c, 3) : characterEscape(c), activeFlags);
  }

  private Node numberedEscape(int first, int activeFlags) {
    int number = first - '0';
    if (peek() >= '0' && peek() <= '9') {
      int second = source[position++];
      if (first <= '7' && second <= '7' && peek() >= '0' && peek() <= '7') {
        int value = (number * 8 + second - '0') * 8 + source[position++] - '0';
        if (value > 0377) {
          throw error("octal escape value outside of range 0-0o377");
        }
        return literal(value, activeFlags);
      }
      number = number * 10 + second - '0';
    }
    if (number > groupCount) {
      throw error("invalid group reference " + number);
    }
    return reference(number, activeFlags);
  }

  private int octal(int first, int length) {
    int value = first - '0';
    for (int i = 1; i < length && peek() >= '0' && peek() <= '7'; i++) {
      value = value * 8 + source[position++] - '0';
    }
    if (value > 0377) {
      throw error("octal escape value outside of range 0-0o377");
    }
    return value;
  }

  /** Escapes that stand for one character, inside and outside of a class. */
  private int characterEscape(int c) {
    return switch (c) {
      case 'a' -> 7;
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'v' -> 0x0B;
      case 'x' -> hex(2);
      case 'u' -> hex(4);
      case 'U' -> hex(8);
      case 'N' -> named();
      default -> {
        if (c < 128 && PyChars.isAlnum(c)) {
          throw error("bad escape \\" + (char) c);
        }
        yield c;
      }
    };
  }

  private int hex(int length) {
    long value = 0;
    for (int i = 0; i < length; i++) {
      int digit = peek() < 128 ? Character.digit(peek(), 16) : -1;
      if (digit < 0) {
        throw error("incomplete escape");
      }
      value = value * 16 + digit;
      position++;
    }
    if (value > Character.MAX_CODE_POINT) {
      throw error("bad escape: no such character");
    }
    return (int) value;
  }

  private int named() {
    if (!accept('{')) {
      throw error("missing {");
    }
    String name = untilClose('}');
    try {
      return Character.codePointOf(name);
    } catch (IllegalArgumentException e) {
      throw error("undefined character name '" + name + "'");
    }
  }

  private static Category category(int c, boolean ascii) {
    Category.Kind kind =
        switch (Character.toLowerCase(c)) {
          case 'd' -> Category.Kind.DIGIT;
          case 's' -> Category.Kind.SPACE;
          default -> Category.Kind.WORD;
        };
    return new Category(kind, ascii, c < 'a');
  }

  /** A class, after its opening bracket. */
  private CharSet charClass(int activeFlags) {
    boolean ascii = (activeFlags & PyPattern.ASCII) != 0;
    boolean negated = accept('^');
    List<Integer> ranges = new ArrayList<>();
    List<Category> categories = new ArrayList<>();
    String unterminated = "unterminated character set";
    for (boolean first = true; ; first = false) {
      int c = next(unterminated);
      if (c == ']' && !first) {
        break;
      }
      int low = classMember(c, ascii, categories);
      if (accept('-')) {
        int d = next(unterminated);
        if (d == ']') {
          add(ranges, low, low);
          add(ranges, '-', '-');
          break;
        }
        int high = classMember(d, ascii, categories);
        if (low < 0 || high < low) {
          throw error("bad character range");
        }
        add(ranges, low, high);
      } else {
        add(ranges, low, low);
      }
    }
    return new CharSet(
        ranges.stream().mapToInt(Integer::intValue).toArray(),
        categories,
        negated,
        (activeFlags & PyPattern.IGNORECASE) != 0);
  }

  private static void add(List<Integer> ranges, int low, int high) {
    if (low >= 0) {
      ranges.add(low);
      ranges.add(high);
    }
  }

  /** One member of a class as a character, or -1 if it is a category (which is then added). */
  private int classMember(int c, boolean ascii, List<Category> categories) {
    if (c != '\\') {
      return c;
    }
    int escaped = next("bad escape (end of pattern)");
    switch (escaped) {
      case 'd', 'D', 's', 'S', 'w', 'W' -> {
        categories.add(category(escaped, ascii));
        return -1;
      }
      case 'b' -> {
        return '\b';
      }
      default -> {
        return escaped >= '0' && escaped <= '7' ? octal(escaped, 3) : characterEscape(escaped);
      }
    }
  }
}
