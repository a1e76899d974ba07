package org.hirengine.text.regex;

import java.util.List;
import java.util.Map;
import org.hirengine.text.PyChars;

/**
 * A set of characters, as one item of a pattern.
 *
 * <p>With {@code ignoreCase} the tested character must already be in simple lower case (as {@link
 * org.hirengine.text.CodePoints#folded} gives it).
 */
final class CharSet {

  /** A named class of characters, or its complement if {@code negated}. */
  record Category(Kind kind, boolean ascii, boolean negated) {
    enum Kind {
      DIGIT,
      SPACE,
      WORD
    }

    boolean contains(int c) {
      boolean in =
          (ascii && c > 127)
              ? false
              : switch (kind) {
                case DIGIT -> PyChars.isDecimal(c);
                case SPACE -> ascii ? c == ' ' || (c >= 0x09 && c <= 0x0D) : PyChars.isSpace(c);
                case WORD -> PyChars.isWord(c);
              };
      return in != negated;
    }
  }

  /**
   * Lower-case characters that differ but share an upper case (s and U+017F, mu and the micro
   * sign): equal when case is ignored. From Unicode; Python 3.11 has exactly the same pairs.
   */
  static final Map<Integer, int[]> SAME_UPPER = SameUpper.TABLE;

  private static final int[] NONE = {};

  private final boolean negated;
  private final boolean ignoreCase;
  private final int[] ranges;
  private final List<Category> categories;
  private final long[] ascii = new long[2];

  /**
   * @param ranges pairs of first and last member
   */
  CharSet(int[] ranges, List<Category> categories, boolean negated, boolean ignoreCase) {
    this.ranges = ranges;
    this.categories = categories;
    this.negated = negated;
    this.ignoreCase = ignoreCase;
    for (int c = 0; c < 128; c++) {
      if (compute(c)) {
        ascii[c >> 6] |= 1L << c;
      }
    }
  }

  static CharSet literal(int c, boolean ignoreCase) {
    return new CharSet(new int[] {c, c}, List.of(), false, ignoreCase);
  }

  /** The dot: everything, or everything except the newline. */
  static CharSet dot(boolean dotAll) {
    return dotAll
        ? new CharSet(new int[] {0, Character.MAX_CODE_POINT}, List.of(), false, false)
        : new CharSet(new int[] {'\n', '\n'}, List.of(), true, false);
  }

  boolean contains(int c) {
    return c < 128 ? (ascii[c >> 6] & (1L << c)) != 0 : compute(c);
  }

  boolean ignoreCase() {
    return ignoreCase;
  }

  /** False if the set contains only ASCII. */
  boolean mayHoldOthers() {
    if (negated || ignoreCase || !categories.isEmpty()) {
      return true;
    }
    for (int end : ranges) {
      if (end > 127) {
        return true;
      }
    }
    return false;
  }

  /** The only character that this set matches, or -1. */
  int single() {
    if (negated || !categories.isEmpty() || ranges.length != 2 || ranges[0] != ranges[1]) {
      return -1;
    }
    int c = ignoreCase ? Character.toLowerCase(ranges[0]) : ranges[0];
    return ignoreCase && SAME_UPPER.containsKey(c) ? -1 : c;
  }

  private boolean compute(int c) {
    boolean in = ignoreCase ? inFoldedRanges(c) : inRanges(c);
    for (int i = 0; !in && i < categories.size(); i++) {
      in = categories.get(i).contains(c);
    }
    return in != negated;
  }

  private boolean inRanges(int c) {
    for (int i = 0; i < ranges.length; i += 2) {
      if (c >= ranges[i] && c <= ranges[i + 1]) {
        return true;
      }
    }
    return false;
  }

  private boolean inFoldedRanges(int c) {
    if (inLowerCaseOfRanges(c)) {
      return true;
    }
    for (int other : SAME_UPPER.getOrDefault(c, NONE)) {
      if (inLowerCaseOfRanges(other)) {
        return true;
      }
    }
    return false;
  }

  private boolean inLowerCaseOfRanges(int c) {
    int upper = Character.toUpperCase(c);
    for (int i = 0; i < ranges.length; i += 2) {
      int first = ranges[i];
      int last = ranges[i + 1];
      if (first == last
          ? Character.toLowerCase(first) == c
          : (c >= first && c <= last) || (upper >= first && upper <= last)) {
        return true;
      }
    }
    return false;
  }
}
