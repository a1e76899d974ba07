package org.hirengine.text;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;

/**
 * Python's {@code str} methods on Java strings.
 *
 * <p>Strings keep Java's UTF-16 form; lengths and indices that Python counts in code points are
 * counted in code points here too ({@link #length}). Lone surrogates are separate code points, as
 * in Python.
 */
public final class PyText {

  private PyText() {}

  /** {@code len(s)}: the number of code points. */
  public static int length(String s) {
    return s.codePointCount(0, s.length());
  }

  /** {@code s.strip()}. */
  public static String strip(String s) {
    int from = 0;
    int to = s.length();
    while (from < to && PyChars.isSpace(s.charAt(from))) {
      from++;
    }
    while (to > from && PyChars.isSpace(s.charAt(to - 1))) {
      to--;
    }
    return s.substring(from, to);
  }

  /** {@code s.lstrip()}. */
  public static String stripLeading(String s) {
    int from = 0;
    while (from < s.length() && PyChars.isSpace(s.charAt(from))) {
      from++;
    }
    return s.substring(from);
  }

  /** {@code s.rstrip()}. */
  public static String stripTrailing(String s) {
    int to = s.length();
    while (to > 0 && PyChars.isSpace(s.charAt(to - 1))) {
      to--;
    }
    return s.substring(0, to);
  }

  /** {@code s.strip(chars)}; the characters lie in the basic plane. */
  public static String strip(String s, String chars) {
    int from = 0;
    int to = s.length();
    while (from < to && chars.indexOf(s.charAt(from)) >= 0) {
      from++;
    }
    while (to > from && chars.indexOf(s.charAt(to - 1)) >= 0) {
      to--;
    }
    return s.substring(from, to);
  }

  /** {@code s.lstrip(chars)}; the characters lie in the basic plane. */
  public static String stripLeading(String s, String chars) {
    int from = 0;
    while (from < s.length() && chars.indexOf(s.charAt(from)) >= 0) {
      from++;
    }
    return s.substring(from);
  }

  /** {@code s.rstrip(chars)}; the characters lie in the basic plane. */
  public static String stripTrailing(String s, String chars) {
    int to = s.length();
    while (to > 0 && chars.indexOf(s.charAt(to - 1)) >= 0) {
      to--;
    }
    return s.substring(0, to);
  }

  /** True when nothing is left of {@code s.strip()}. */
  public static boolean isBlank(String s) {
    return isBlank(s, 0, s.length());
  }

  /** True when there is only white space between two positions. */
  public static boolean isBlank(String s, int from, int to) {
    for (int i = from; i < to; i++) {
      if (!PyChars.isSpace(s.charAt(i))) {
        return false;
      }
    }
    return true;
  }

  /** {@code s.split()}: the pieces between runs of white space, none of them empty. */
  public static Pieces split(String s) {
    Pieces.Builder pieces = new Pieces.Builder(s);
    char[] chars = s.toCharArray();
    int from = -1;
    for (int i = 0; i < chars.length; i++) {
      if (PyChars.isSpace(chars[i])) {
        if (from >= 0) {
          pieces.add(from, i);
          from = -1;
        }
      } else if (from < 0) {
        from = i;
      }
    }
    if (from >= 0) {
      pieces.add(from, chars.length);
    }
    return pieces.build();
  }

  /** {@code s.split(separator)}: every piece, the empty ones and the last included. */
  public static Pieces split(String s, String separator) {
    Pieces.Builder pieces = new Pieces.Builder(s, 16);
    int from = 0;
    for (int at; (at = s.indexOf(separator, from)) >= 0; from = at + separator.length()) {
      pieces.add(from, at);
    }
    pieces.add(from, s.length());
    return pieces.build();
  }

  /** {@code s.splitlines()}: also at vertical tab, form feed, U+001C-1E, U+0085, U+2028/9. */
  public static List<String> splitLines(String s) {
    return splitLines(s, false);
  }

  /** {@code s.splitlines(keepends)}. */
  public static List<String> splitLines(String s, boolean keepEnds) {
    List<String> lines = new ArrayList<>();
    int n = s.length();
    int from = 0;
    for (int i = 0; i < n; i++) {
      if (isLineBreak(s.charAt(i))) {
        int end = i;
        if (s.charAt(i) == '\r' && i + 1 < n && s.charAt(i + 1) == '\n') {
          i++;
        }
        lines.add(s.substring(from, keepEnds ? i + 1 : end));
        from = i + 1;
      }
    }
    if (from < n) {
      lines.add(s.substring(from));
    }
    return lines;
  }

  private static boolean isLineBreak(char c) {
    return (c >= 0x0A && c <= 0x0D)
        || (c >= 0x1C && c <= 0x1E)
        || c == 0x85
        || c == 0x2028
        || c == 0x2029;
  }

  /**
   * {@code s.lower()}: locale-free, with Python's rule for a final sigma (which looks past
   * case-ignorable marks, not at word boundaries as Java does).
   */
  public static String lower(String s) {
    int n = s.length();
    int first = 0;
    while (first < n && !changesInLower(s.charAt(first))) {
      first++;
    }
    if (first == n) {
      return s;
    }
    char[] chars = s.toCharArray();
    for (int i = first; i < n; i++) {
      char c = chars[i];
      if (c < 128) {
        chars[i] = (char) (c >= 'A' && c <= 'Z' ? c + 32 : c);
      } else if (c == 0x130 || c == 0x3A3 || Character.isSurrogate(c)) {
        return lowerBeyondChars(s);
      } else {
        chars[i] = Character.toLowerCase(c);
      }
    }
    return new String(chars);
  }

  private static String lowerBeyondChars(String s) {
    int n = s.length();
    StringBuilder out = new StringBuilder(n + 2);
    for (int i = 0; i < n; ) {
      int c = s.codePointAt(i);
      if (c < 128) {
        out.append((char) (c >= 'A' && c <= 'Z' ? c + 32 : c));
      } else if (c == 0x130) {
        out.append("i\u0307");
      } else if (c == 0x3A3) {
        out.append(isFinalSigma(s, i) ? '\u03C2' : '\u03C3');
      } else {
        out.appendCodePoint(Character.toLowerCase(c));
      }
      i += Character.charCount(c);
    }
    return out.toString();
  }

  private static boolean changesInLower(char c) {
    return c < 128
        ? c >= 'A' && c <= 'Z'
        : Character.isSurrogate(c) || Character.toLowerCase(c) != c;
  }

  private static boolean isFinalSigma(String s, int at) {
    int before = at;
    int c = 0;
    while (before > 0) {
      c = s.codePointBefore(before);
      before -= Character.charCount(c);
      if (!isCaseIgnorable(c)) {
        break;
      }
      c = 0;
    }
    if (c == 0 || !PyChars.isCased(c)) {
      return false;
    }
    for (int after = at + 1; after < s.length(); after += Character.charCount(c)) {
      c = s.codePointAt(after);
      if (!isCaseIgnorable(c)) {
        return !PyChars.isCased(c);
      }
    }
    return true;
  }

  /** Derived property Case_Ignorable: marks, format and modifier characters, mid-word marks. */
  private static boolean isCaseIgnorable(int c) {
    return switch (Character.getType(c)) {
      case Character.NON_SPACING_MARK,
          Character.ENCLOSING_MARK,
          Character.FORMAT,
          Character.MODIFIER_LETTER,
          Character.MODIFIER_SYMBOL ->
          true;
      default ->
          "':.\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A"
                  .indexOf(c)
              >= 0;
    };
  }

  /** {@code s.upper()}. */
  public static String upper(String s) {
    return s.toUpperCase(Locale.ROOT);
  }

  /** {@code s.title()}: words begin with a capital, their other letters are lower. */
  public static String title(String s) {
    StringBuilder out = new StringBuilder(s.length());
    boolean inWord = false;
    for (int i = 0; i < s.length(); ) {
      int c = s.codePointAt(i);
      out.append(inWord ? lowerAt(s, i) : titleOf(c));
      inWord = PyChars.isCased(c);
      i += Character.charCount(c);
    }
    return out.toString();
  }

  /** {@code s.capitalize()}. */
  public static String capitalize(String s) {
    if (s.isEmpty()) {
      return s;
    }
    StringBuilder out = new StringBuilder(s.length());
    int first = s.codePointAt(0);
    out.append(titleOf(first));
    for (int i = Character.charCount(first); i < s.length(); ) {
      out.append(lowerAt(s, i));
      i += Character.charCount(s.codePointAt(i));
    }
    return out.toString();
  }

  /** {@code s.swapcase()}. */
  public static String swapCase(String s) {
    StringBuilder out = new StringBuilder(s.length());
    for (int i = 0; i < s.length(); ) {
      int c = s.codePointAt(i);
      out.append(
          PyChars.isUpper(c)
              ? lowerAt(s, i)
              : PyChars.isLower(c) ? upper(Character.toString(c)) : Character.toString(c));
      i += Character.charCount(c);
    }
    return out.toString();
  }

  /** {@code s.istitle()}: capitals begin words and nothing else does, and there is one. */
  public static boolean isTitle(String s) {
    boolean inWord = false;
    boolean cased = false;
    for (int i = 0; i < s.length(); ) {
      int c = s.codePointAt(i);
      boolean capital = PyChars.isUpper(c) || PyChars.isTitle(c);
      if (capital ? inWord : PyChars.isLower(c) && !inWord) {
        return false;
      }
      inWord = PyChars.isCased(c);
      cased |= inWord;
      i += Character.charCount(c);
    }
    return cased;
  }

  /** One character of {@code s.lower()}. */
  private static String lowerAt(String s, int at) {
    int c = s.codePointAt(at);
    if (c == 0x3A3) {
      return isFinalSigma(s, at) ? "\u03C2" : "\u03C3";
    }
    return lower(Character.toString(c));
  }

  /** A character's full title case; that of a few, such as \u00DF, is two characters. */
  private static String titleOf(int c) {
    String one = Character.toString(c);
    String upper = upper(one);
    int first = upper.codePointAt(0);
    if (Character.toTitleCase(c) != c
        || PyChars.isTitle(c)
        || upper.length() == Character.charCount(first)) {
      return Character.toString(Character.toTitleCase(c));
    }
    StringBuilder title = new StringBuilder().appendCodePoint(first);
    boolean begun = PyChars.isCased(first);
    for (int i = Character.charCount(first); i < upper.length(); ) {
      int next = upper.codePointAt(i);
      // The iota below a letter is a separate mark, and its capital follows the letter.
      int low = next == 0x399 && c >= 0x1F80 ? 0x345 : Character.toLowerCase(next);
      title.appendCodePoint(begun ? low : next);
      begun |= PyChars.isCased(next);
      i += Character.charCount(next);
    }
    return title.toString();
  }

  /** Order of {@code a < b}: by code points, where Java's own is by UTF-16 units. */
  public static int compare(String a, String b) {
    int i = 0;
    while (i < a.length() && i < b.length()) {
      int x = a.codePointAt(i);
      int y = b.codePointAt(i);
      if (x != y) {
        return Integer.compare(x, y);
      }
      i += Character.charCount(x);
    }
    return Integer.compare(a.length(), b.length());
  }

  /** {@code s.isupper()}: at least one cased character, and none that is lower or title case. */
  public static boolean isUpper(String s) {
    boolean cased = false;
    for (int i = 0; i < s.length(); ) {
      int c = s.codePointAt(i);
      if (PyChars.isLower(c) || PyChars.isTitle(c)) {
        return false;
      }
      cased |= PyChars.isUpper(c);
      i += Character.charCount(c);
    }
    return cased;
  }

  /** {@code s.islower()}: at least one cased character, and none that is upper or title case. */
  public static boolean isLower(String s) {
    boolean cased = false;
    for (int i = 0; i < s.length(); ) {
      int c = s.codePointAt(i);
      if (PyChars.isUpper(c) || PyChars.isTitle(c)) {
        return false;
      }
      cased |= PyChars.isLower(c);
      i += Character.charCount(c);
    }
    return cased;
  }

  /** {@code s.isdigit()}. */
  public static boolean isDigit(String s) {
    return !s.isEmpty() && s.codePoints().allMatch(PyChars::isDigit);
  }

  /** Each occurrence of one of these ASCII characters, as a separate piece. */
  public static Pieces characters(String s, String members) {
    boolean[] member = new boolean[128];
    members.chars().forEach(c -> member[c] = true);
    Pieces.Builder found = new Pieces.Builder(s, 64);
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      if (c < 128 && member[c]) {
        found.add(i, i + 1);
      }
    }
    return found.build();
  }

  /** {@code re.findall(r"\w+", s)}. */
  public static Pieces words(String s) {
    return runs(s, PyChars::isWord);
  }

  /** {@code RegexpTokenizer(r"\w+").tokenize(s)} of NLTK, which matches by {@code regex}. */
  public static Pieces regexWords(String s) {
    return runs(s, PyChars::isRegexWord);
  }

  /** {@code re.findall(r"\d+", s)}. */
  public static Pieces numbers(String s) {
    return runs(s, PyChars::isDecimal);
  }

  private static Pieces runs(String s, IntPredicate member) {
    Pieces.Builder words = new Pieces.Builder(s);
    int n = s.length();
    int from = -1;
    for (int i = 0; i < n; ) {
      int c = s.charAt(i);
      c = Character.isSurrogate((char) c) ? s.codePointAt(i) : c;
      if (member.test(c)) {
        from = from < 0 ? i : from;
      } else if (from >= 0) {
        words.add(from, i);
        from = -1;
      }
      i += Character.charCount(c);
    }
    if (from >= 0) {
      words.add(from, n);
    }
    return words.build();
  }

  /** {@code remove_punctuation(s).split()}: the pieces between white space, without ASCII marks. */
  public static Pieces bareWords(String s) {
    Pieces.Builder words = new Pieces.Builder(s);
    BareWords word = new BareWords(s);
    while (word.advance()) {
      word.addTo(words);
    }
    return words.build();
  }

  /** The same, lazily, for callers that often need only the first. */
  public static Iterable<String> eachBareWord(String s) {
    return () -> new BareWords(s);
  }

  /** {@code s.translate(str.maketrans("", "", string.punctuation))}. */
  public static String removePunctuation(String s) {
    int n = s.length();
    int i = 0;
    while (i < n && !PyChars.isPunctuation(s.charAt(i))) {
      i++;
    }
    if (i == n) {
      return s;
    }
    char[] chars = s.toCharArray();
    int kept = i;
    for (; i < n; i++) {
      if (!PyChars.isPunctuation(chars[i])) {
        chars[kept++] = chars[i];
      }
    }
    return new String(chars, 0, kept);
  }

  /**
   * {@code unicodedata.normalize("NFKD", s).encode("ASCII", "ignore")}: compatibility forms
   * decomposed, then everything beyond ASCII removed.
   */
  public static String toAscii(String s) {
    if (isAscii(s)) {
      return s;
    }
    String decomposed = Normalizer.normalize(s, Normalizer.Form.NFKD);
    StringBuilder ascii = new StringBuilder(decomposed.length());
    for (int i = 0; i < decomposed.length(); i++) {
      if (decomposed.charAt(i) < 128) {
        ascii.append(decomposed.charAt(i));
      }
    }
    return ascii.toString();
  }

  private static boolean isAscii(String s) {
    for (int i = 0; i < s.length(); i++) {
      if (s.charAt(i) >= 128) {
        return false;
      }
    }
    return true;
  }

  /** {@code s.count(part)}: occurrences that do not overlap; an empty part occurs len + 1 times. */
  public static int count(String s, String part) {
    if (part.isEmpty()) {
      return length(s) + 1;
    }
    int count = 0;
    for (int at = s.indexOf(part); at >= 0; at = s.indexOf(part, at + part.length())) {
      count++;
    }
    return count;
  }

  /** {@code len(re.findall(open + ".*?" + close, s))}, both taken literally. */
  public static int countEnclosed(String s, String open, String close) {
    int count = 0;
    int lineEnd = -1;
    for (int at = s.indexOf(open); at >= 0; ) {
      int end = s.indexOf(close, at + open.length());
      if (end < 0) {
        break;
      }
      lineEnd = lineEnd < at ? s.indexOf('\n', at) : lineEnd;
      lineEnd = lineEnd < 0 ? s.length() : lineEnd;
      boolean within = end < lineEnd;
      count += within ? 1 : 0;
      at = s.indexOf(open, within ? end + close.length() : lineEnd);
    }
    return count;
  }

  /** {@code s[from:to]} in code points; negative indices count from the end, as in Python. */
  public static String slice(String s, int from, int to) {
    int n = length(s);
    int first = Math.max(0, Math.min(n, from < 0 ? from + n : from));
    int last = Math.max(first, Math.min(n, to < 0 ? to + n : to));
    return s.substring(s.offsetByCodePoints(0, first), s.offsetByCodePoints(0, last));
  }

  /** {@code s[::-1]}: the code points in reverse, surrogate pairs kept whole. */
  public static String reverse(String s) {
    int[] points = s.codePoints().toArray();
    StringBuilder out = new StringBuilder(s.length());
    for (int i = points.length - 1; i >= 0; i--) {
      out.appendCodePoint(points[i]);
    }
    return out.toString();
  }
}
