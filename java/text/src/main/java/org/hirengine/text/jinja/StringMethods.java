package org.hirengine.text.jinja;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntPredicate;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.hirengine.text.jinja.CallArguments.Bound;
import org.jspecify.annotations.Nullable;

/** The methods of Python's str. Positions and widths count code points. */
final class StringMethods {

  private interface Method {
    @Nullable Object call(String self, CallArguments arguments, Budget budget);
  }

  private static final Set<String> UNSUPPORTED =
      Set.of(
          "casefold",
          "encode",
          "format_map",
          "isidentifier",
          "isnumeric",
          "isprintable",
          "maketrans",
          "translate");

  private static final Map<String, Method> METHODS = new HashMap<>();

  static {
    simple("upper", PyText::upper);
    simple("lower", PyText::lower);
    simple("capitalize", PyText::capitalize);
    simple("title", PyText::title);
    simple("swapcase", PyText::swapCase);
    simple("isdigit", text -> all(text, PyChars::isDigit));
    simple("isdecimal", text -> all(text, PyChars::isDecimal));
    simple("isalpha", text -> all(text, PyChars::isAlpha));
    simple("isalnum", text -> all(text, PyChars::isAlnum));
    simple("isspace", text -> all(text, PyChars::isSpace));
    simple("isascii", text -> text.chars().allMatch(c -> c < 128));
    simple("isupper", PyText::isUpper);
    simple("islower", PyText::isLower);
    simple("istitle", PyText::isTitle);
    METHODS.put("strip", (self, arguments, budget) -> strip("strip", self, arguments, true, true));
    METHODS.put(
        "lstrip", (self, arguments, budget) -> strip("lstrip", self, arguments, true, false));
    METHODS.put(
        "rstrip", (self, arguments, budget) -> strip("rstrip", self, arguments, false, true));
    METHODS.put(
        "split", (self, arguments, budget) -> split("split", self, arguments, false, budget));
    METHODS.put(
        "rsplit", (self, arguments, budget) -> split("rsplit", self, arguments, true, budget));
    METHODS.put("splitlines", StringMethods::splitLines);
    METHODS.put("partition", (self, arguments, budget) -> partition(self, arguments, false));
    METHODS.put("rpartition", (self, arguments, budget) -> partition(self, arguments, true));
    METHODS.put("startswith", (self, arguments, budget) -> affix("startswith", self, arguments));
    METHODS.put("endswith", (self, arguments, budget) -> affix("endswith", self, arguments));
    METHODS.put("removeprefix", StringMethods::removePrefix);
    METHODS.put("removesuffix", StringMethods::removeSuffix);
    METHODS.put("replace", StringMethods::replace);
    METHODS.put("find", (self, arguments, budget) -> find("find", self, arguments, false));
    METHODS.put("rfind", (self, arguments, budget) -> find("rfind", self, arguments, true));
    METHODS.put("index", (self, arguments, budget) -> index("index", self, arguments, false));
    METHODS.put("rindex", (self, arguments, budget) -> index("rindex", self, arguments, true));
    METHODS.put("count", StringMethods::count);
    METHODS.put("join", StringMethods::join);
    METHODS.put("format", PyFormat::braces);
    METHODS.put("zfill", StringMethods::zeroFill);
    METHODS.put("ljust", (self, arguments, budget) -> pad("ljust", self, arguments, budget));
    METHODS.put("rjust", (self, arguments, budget) -> pad("rjust", self, arguments, budget));
    METHODS.put("center", (self, arguments, budget) -> pad("center", self, arguments, budget));
    METHODS.put("expandtabs", StringMethods::expandTabs);
  }

  private StringMethods() {}

  /** The method of a text, or null if str has none of that name. */
  static @Nullable PyCallable find(String self, String name) {
    Method method = METHODS.get(name);
    if (method == null) {
      if (UNSUPPORTED.contains(name)) {
        throw RenderError.unsupported("the method str." + name);
      }
      return null;
    }
    return (arguments, scope) -> {
      scope.budget().spendText(self.length());
      return method.call(self, arguments, scope.budget());
    };
  }

  private static void simple(String name, Function<String, Object> function) {
    METHODS.put(
        name,
        (self, arguments, budget) -> {
          arguments.bind(name, 0);
          return function.apply(self);
        });
  }

  private static boolean all(String text, IntPredicate test) {
    return !text.isEmpty() && text.codePoints().allMatch(test);
  }

  private static String strip(
      String name, String self, CallArguments arguments, boolean leading, boolean trailing) {
    Bound bound = arguments.bind(name, 0, "chars");
    return strip(self, bound.get(0, null) == null ? null : bound.text(0), leading, trailing);
  }

  /** Strips whitespace, or every character that {@code characters} has. */
  static String strip(String text, @Nullable String characters, boolean leading, boolean trailing) {
    IntPredicate gone = characters == null ? PyChars::isSpace : c -> characters.indexOf(c) >= 0;
    int start = 0;
    int end = text.length();
    while (leading && start < end && gone.test(text.codePointAt(start))) {
      start += Character.charCount(text.codePointAt(start));
    }
    while (trailing && start < end && gone.test(text.codePointBefore(end))) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    return text.substring(start, end);
  }

  private static List<@Nullable Object> split(
      String name, String self, CallArguments arguments, boolean fromRight, Budget budget) {
    Bound bound = arguments.bind(name, 0, "sep", "maxsplit");
    long most = bound.integer(1, -1);
    long limit = most < 0 ? Long.MAX_VALUE : most;
    List<@Nullable Object> parts =
        bound.get(0, null) == null
            ? splitAtSpace(self, limit, fromRight)
            : splitAt(self, bound.text(0), limit, fromRight);
    budget.spend(parts.size());
    return parts;
  }

  private static List<@Nullable Object> splitAt(
      String self, String separator, long limit, boolean fromRight) {
    if (separator.isEmpty()) {
      throw new RenderError("empty separator");
    }
    List<@Nullable Object> parts = new ArrayList<>();
    int start = 0;
    int end = self.length();
    while (parts.size() < limit) {
      int at =
          fromRight
              ? self.lastIndexOf(separator, end - separator.length())
              : self.indexOf(separator, start);
      if (at < 0 || (fromRight && end < separator.length())) {
        break;
      }
      if (fromRight) {
        parts.add(0, self.substring(at + separator.length(), end));
        end = at;
      } else {
        parts.add(self.substring(start, at));
        start = at + separator.length();
      }
    }
    parts.add(fromRight ? 0 : parts.size(), self.substring(start, end));
    return parts;
  }

  private static List<@Nullable Object> splitAtSpace(String self, long limit, boolean fromRight) {
    List<@Nullable Object> words = new ArrayList<>();
    String rest = PyText.strip(self);
    while (!rest.isEmpty()) {
      if (words.size() == limit) {
        // The part that is not split keeps the whitespace on its far side.
        words.add(
            fromRight ? 0 : words.size(),
            fromRight
                ? self.substring(0, self.indexOf(PyText.strip(self)) + rest.length())
                : self.substring(PyText.stripTrailing(self).length() - rest.length()));
        break;
      }
      int cut = fromRight ? lastSpace(rest) + 1 : firstSpace(rest);
      words.add(
          fromRight ? 0 : words.size(), fromRight ? rest.substring(cut) : rest.substring(0, cut));
      rest =
          fromRight
              ? PyText.stripTrailing(rest.substring(0, cut))
              : PyText.stripLeading(rest.substring(cut));
    }
    return words;
  }

  private static int firstSpace(String text) {
    int at = 0;
    while (at < text.length() && !PyChars.isSpace(text.charAt(at))) {
      at++;
    }
    return at;
  }

  private static int lastSpace(String text) {
    int at = text.length() - 1;
    while (at >= 0 && !PyChars.isSpace(text.charAt(at))) {
      at--;
    }
    return at;
  }

  private static List<@Nullable Object> splitLines(
      String self, CallArguments arguments, Budget budget) {
    boolean keepEnds = arguments.bind("splitlines", 0, "keepends").truth(0);
    List<@Nullable Object> lines = new ArrayList<>(PyText.splitLines(self, keepEnds));
    budget.spend(lines.size());
    return lines;
  }

  /** The lines of a text without their ends. */
  static List<@Nullable Object> lines(String text, Budget budget) {
    return splitLines(text, CallArguments.NONE, budget);
  }

  private static PyTuple partition(String self, CallArguments arguments, boolean last) {
    String separator = arguments.bind(last ? "rpartition" : "partition", 1, "sep").text(0);
    if (separator.isEmpty()) {
      throw new RenderError("empty separator");
    }
    int at = last ? self.lastIndexOf(separator) : self.indexOf(separator);
    if (at < 0) {
      return new PyTuple(last ? List.of("", "", self) : List.of(self, "", ""));
    }
    return new PyTuple(
        List.of(self.substring(0, at), separator, self.substring(at + separator.length())));
  }

  private static boolean affix(String name, String self, CallArguments arguments) {
    Bound bound = arguments.bind(name, 1, "prefix", "start", "end");
    String part = part(self, bound, 1);
    List<@Nullable Object> choices =
        bound.get(0) instanceof PyTuple tuple ? tuple.items() : List.of(bound.text(0));
    for (Object choice : choices) {
      if (!(choice instanceof String text)) {
        throw new RenderError(
            "tuple for " + name + " must only contain str, not " + Values.typeName(choice));
      }
      if (part != null
          && (name.equals("startswith") ? part.startsWith(text) : part.endsWith(text))) {
        return true;
      }
    }
    return false;
  }

  /** The part between the bounds at {@code first} and after it; null if they cross. */
  private static @Nullable String part(String self, Bound bound, int first) {
    if (!bound.has(first)) {
      return self;
    }
    int length = self.codePointCount(0, self.length());
    int start = position(bound.get(first), 0, length);
    int end = position(bound.get(first + 1, null), length, length);
    if (start > end || start > length) {
      return null;
    }
    return self.substring(self.offsetByCodePoints(0, start), self.offsetByCodePoints(0, end));
  }

  private static int position(@Nullable Object bound, int otherwise, int length) {
    if (bound == null) {
      return otherwise;
    }
    long at = Values.integer(bound);
    at = at < 0 ? Math.max(0, at + length) : at;
    // A start beyond the end finds nothing, not even an empty text.
    return (int) (otherwise == 0 ? Math.min(at, length + 1L) : Math.min(at, length));
  }

  private static String removePrefix(String self, CallArguments arguments, Budget budget) {
    String prefix = arguments.bind("removeprefix", 1, "prefix").text(0);
    return self.startsWith(prefix) ? self.substring(prefix.length()) : self;
  }

  private static String removeSuffix(String self, CallArguments arguments, Budget budget) {
    String suffix = arguments.bind("removesuffix", 1, "suffix").text(0);
    return self.endsWith(suffix) ? self.substring(0, self.length() - suffix.length()) : self;
  }

  private static String replace(String self, CallArguments arguments, Budget budget) {
    Bound bound = arguments.bind("replace", 2, "old", "new", "count");
    return replace(self, bound.text(0), bound.text(1), bound.integer(2, -1), budget);
  }

  /** Replaces the first {@code most} occurrences, or all if it is negative. */
  static String replace(String self, String old, String replacement, long most, Budget budget) {
    StringBuilder out = new StringBuilder();
    int start = 0;
    long left = most < 0 ? Long.MAX_VALUE : most;
    // An empty text is found before every character and at the end.
    int from = 0;
    while (left-- > 0) {
      int at = from > self.length() ? -1 : self.indexOf(old, from);
      if (at < 0) {
        break;
      }
      budget.spendText((long) at - start + replacement.length());
      out.append(self, start, at).append(replacement);
      start = at + old.length();
      from =
          old.isEmpty()
              ? at + (at < self.length() ? Character.charCount(self.codePointAt(at)) : 1)
              : start;
    }
    return out.append(self, start, self.length()).toString();
  }

  private static long find(String name, String self, CallArguments arguments, boolean last) {
    Bound bound = arguments.bind(name, 1, "sub", "start", "end");
    String wanted = bound.text(0);
    String part = part(self, bound, 1);
    int at = part == null ? -1 : last ? part.lastIndexOf(wanted) : part.indexOf(wanted);
    if (at < 0 || part == null) {
      return -1;
    }
    int length = self.codePointCount(0, self.length());
    return (long) part.codePointCount(0, at)
        + (bound.has(1) ? position(bound.get(1), 0, length) : 0);
  }

  private static long index(String name, String self, CallArguments arguments, boolean last) {
    long at = find(name, self, arguments, last);
    if (at < 0) {
      throw new RenderError("substring not found");
    }
    return at;
  }

  private static long count(String self, CallArguments arguments, Budget budget) {
    Bound bound = arguments.bind("count", 1, "sub", "start", "end");
    String wanted = bound.text(0);
    String part = part(self, bound, 1);
    if (part == null) {
      return 0;
    }
    if (wanted.isEmpty()) {
      return part.codePointCount(0, part.length()) + 1L;
    }
    long count = 0;
    for (int at = part.indexOf(wanted); at >= 0; at = part.indexOf(wanted, at + wanted.length())) {
      count++;
    }
    return count;
  }

  private static String join(String self, CallArguments arguments, Budget budget) {
    StringBuilder out = new StringBuilder();
    List<@Nullable Object> items =
        Values.list(arguments.bind("join", 1, "iterable").get(0), budget);
    for (int i = 0; i < items.size(); i++) {
      Object item = items.get(i) instanceof Markup markup ? markup.text() : items.get(i);
      if (!(item instanceof String text)) {
        throw new RenderError(
            "sequence item " + i + ": expected str instance, " + Values.typeName(item) + " found");
      }
      budget.spendText((long) text.length() + self.length());
      out.append(i == 0 ? "" : self).append(text);
    }
    return out.toString();
  }

  private static String zeroFill(String self, CallArguments arguments, Budget budget) {
    String sign = self.startsWith("-") || self.startsWith("+") ? self.substring(0, 1) : "";
    long width = arguments.bind("zfill", 1, "width").integer(0, 0);
    return sign
        + fill("0", width - self.codePointCount(0, self.length()), budget)
        + self.substring(sign.length());
  }

  private static String pad(String name, String self, CallArguments arguments, Budget budget) {
    Bound bound = arguments.bind(name, 1, "width", "fillchar");
    String with = bound.has(1) ? bound.text(1) : " ";
    if (with.codePointCount(0, with.length()) != 1) {
      throw new RenderError("The fill character must be exactly one character long");
    }
    long width = bound.integer(0, 0);
    long missing = Math.max(0, width - self.codePointCount(0, self.length()));
    return switch (name) {
      case "ljust" -> self + fill(with, missing, budget);
      case "rjust" -> fill(with, missing, budget) + self;
      default -> {
        // CPython puts the odd one on the left if the width is odd too.
        long left = missing / 2 + (missing & width & 1);
        yield fill(with, left, budget) + self + fill(with, missing - left, budget);
      }
    };
  }

  private static String fill(String character, long times, Budget budget) {
    budget.spendText(Math.max(0, times));
    return character.repeat((int) Math.max(0, times));
  }

  private static String expandTabs(String self, CallArguments arguments, Budget budget) {
    long size = arguments.bind("expandtabs", 0, "tabsize").integer(0, 8);
    StringBuilder out = new StringBuilder();
    long column = 0;
    for (int c : self.codePoints().toArray()) {
      if (c == '\t') {
        long spaces = size > 0 ? size - column % size : 0;
        out.append(fill(" ", spaces, budget));
        column += spaces;
      } else {
        out.appendCodePoint(c);
        column = c == '\n' || c == '\r' ? 0 : column + 1;
      }
    }
    return out.toString();
  }
}
