package org.hirengine.text;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A string as its code points, with Python's indices and lengths. */
public final class CodePoints {

  private final String text;
  private final int[] values;
  private volatile int @Nullable [] folded;

  private CodePoints(String text) {
    this.text = text;
    this.values = values(text.toCharArray());
  }

  private static int[] values(char[] chars) {
    int[] values = new int[chars.length];
    int n = 0;
    for (int i = 0; i < chars.length; i++) {
      char c = chars[i];
      if (Character.isHighSurrogate(c)
          && i + 1 < chars.length
          && Character.isLowSurrogate(chars[i + 1])) {
        values[n++] = Character.toCodePoint(c, chars[++i]);
      } else {
        values[n++] = c;
      }
    }
    return n == values.length ? values : Arrays.copyOf(values, n);
  }

  public static CodePoints of(String text) {
    return new CodePoints(text);
  }

  /** A letter, or a mark that is written on one. */
  public static boolean isLetter(int c) {
    return switch (Character.getType(c)) {
      case Character.NON_SPACING_MARK, Character.COMBINING_SPACING_MARK -> true;
      default -> Character.isLetter(c);
    };
  }

  public int length() {
    return values.length;
  }

  public int at(int index) {
    return values[index];
  }

  /** {@code s[from:to]} for indices within the text. */
  public String substring(int from, int to) {
    return text.length() == values.length
        ? text.substring(from, to)
        : new String(values, from, to - from);
  }

  /** The code points; callers must not modify the array. */
  public int[] values() {
    return values;
  }

  /**
   * Each code point in simple lower case, the form that {@code re.IGNORECASE} compares; callers
   * must not modify the array.
   */
  public int[] folded() {
    int[] result = folded;
    if (result == null) {
      result = new int[values.length];
      for (int i = 0; i < result.length; i++) {
        int c = values[i];
        result[i] = c < 128 ? (c >= 'A' && c <= 'Z' ? c + 32 : c) : Character.toLowerCase(c);
      }
      folded = result;
    }
    return result;
  }

  @Override
  public String toString() {
    return text;
  }
}
