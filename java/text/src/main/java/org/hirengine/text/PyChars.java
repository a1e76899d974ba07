package org.hirengine.text;

/**
 * Classes of code points as Python's {@code str} and {@code re} define them.
 *
 * <p>They differ from Java's in ways that decide verdicts: {@code \w} includes every numeric
 * character but no combining mark, white space includes U+001C to U+001F and U+00A0.
 */
public final class PyChars {

  private static final int SPACE = 1;
  private static final int WORD = 1 << 1;
  private static final int UPPER = 1 << 2;
  private static final int LOWER = 1 << 3;
  private static final int TITLE = 1 << 4;
  private static final int PUNCTUATION = 1 << 5;
  private static final int ALPHA = 1 << 6;
  private static final int REGEX_WORD = 1 << 7;

  /** {@code string.punctuation}: the 32 ASCII marks. */
  public static final String ASCII_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

  /** Ranges with Numeric_Type=Digit that are not decimal, ascending. */
  private static final int[] OTHER_DIGITS = {
    0xB2, 0xB3, 0xB9, 0xB9, 0x1369, 0x1371, 0x19DA, 0x19DA, 0x2070, 0x2070, 0x2074, 0x2079, 0x2080,
    0x2089, 0x2460, 0x2468, 0x2474, 0x247C, 0x2488, 0x2490, 0x24EA, 0x24EA, 0x24F5, 0x24FD, 0x24FF,
    0x24FF, 0x2776, 0x277E, 0x2780, 0x2788, 0x278A, 0x2792, 0x10A40, 0x10A43, 0x10E60, 0x10E68,
    0x11052, 0x1105A, 0x1F100, 0x1F10A
  };

  private static final byte[] BMP = new byte[0x10000];

  static {
    for (int c = 0; c < BMP.length; c++) {
      BMP[c] = (byte) classify(c);
    }
  }

  private PyChars() {}

  private static int flags(int c) {
    return c < 0x10000 ? BMP[c] : classify(c);
  }

  private static int classify(int c) {
    int type = Character.getType(c);
    boolean letter = Character.isLetter(c);
    boolean number =
        type == Character.DECIMAL_DIGIT_NUMBER
            || type == Character.LETTER_NUMBER
            || type == Character.OTHER_NUMBER;
    boolean space =
        (c >= 0x09 && c <= 0x0D)
            || (c >= 0x1C && c <= 0x1F)
            || c == 0x85
            || type == Character.SPACE_SEPARATOR
            || type == Character.LINE_SEPARATOR
            || type == Character.PARAGRAPH_SEPARATOR;
    return (space ? SPACE : 0)
        | (letter || number || c == '_' ? WORD : 0)
        | (Character.isUpperCase(c) ? UPPER : 0)
        | (Character.isLowerCase(c) ? LOWER : 0)
        | (type == Character.TITLECASE_LETTER ? TITLE : 0)
        | (c < 128 && ASCII_PUNCTUATION.indexOf(c) >= 0 ? PUNCTUATION : 0)
        | (letter ? ALPHA : 0)
        | (isRegexWord(c, type) ? REGEX_WORD : 0);
  }

  private static boolean isRegexWord(int c, int type) {
    return Character.isAlphabetic(c)
        || type == Character.NON_SPACING_MARK
        || type == Character.ENCLOSING_MARK
        || type == Character.COMBINING_SPACING_MARK
        || type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.CONNECTOR_PUNCTUATION
        || c == 0x200C
        || c == 0x200D;
  }

  /** {@code str.isspace} and {@code \s}. */
  public static boolean isSpace(int c) {
    return (flags(c) & SPACE) != 0;
  }

  /** {@code \w}: letters of every kind, all numeric characters, the underscore. */
  public static boolean isWord(int c) {
    return (flags(c) & WORD) != 0;
  }

  /**
   * {@code \w} as the {@code regex} package has it, which NLTK's tokenizers use: letters, marks,
   * decimal digits, connecting punctuation and the two joiners, but no other numeric characters.
   */
  public static boolean isRegexWord(int c) {
    return (flags(c) & REGEX_WORD) != 0;
  }

  /** {@code str.isalnum} of one character: {@code \w} without the underscore. */
  public static boolean isAlnum(int c) {
    return c != '_' && isWord(c);
  }

  /** {@code str.isalpha} of one character. */
  public static boolean isAlpha(int c) {
    return (flags(c) & ALPHA) != 0;
  }

  /** {@code str.isdecimal} of one character and {@code \d}. */
  public static boolean isDecimal(int c) {
    return c < 128 ? c >= '0' && c <= '9' : Character.getType(c) == Character.DECIMAL_DIGIT_NUMBER;
  }

  /** {@code str.isdigit} of one character: decimals, and digits such as superscripts. */
  public static boolean isDigit(int c) {
    if (c < 0xB2 || isDecimal(c)) {
      return isDecimal(c);
    }
    for (int i = 0; i < OTHER_DIGITS.length; i += 2) {
      if (c <= OTHER_DIGITS[i + 1]) {
        return c >= OTHER_DIGITS[i];
      }
    }
    return false;
  }

  /** Derived property Uppercase. */
  public static boolean isUpper(int c) {
    return (flags(c) & UPPER) != 0;
  }

  /** Derived property Lowercase. */
  public static boolean isLower(int c) {
    return (flags(c) & LOWER) != 0;
  }

  /** Title-case letters such as U+01C5. */
  public static boolean isTitle(int c) {
    return (flags(c) & TITLE) != 0;
  }

  /** Whether the character has a case: upper, lower or title. */
  public static boolean isCased(int c) {
    return (flags(c) & (UPPER | LOWER | TITLE)) != 0;
  }

  /** {@code str.isprintable} of one character. */
  public static boolean isPrintable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> c == ' ';
      default -> true;
    };
  }

  /** Member of {@code string.punctuation}. */
  public static boolean isPunctuation(int c) {
    return c < 128 && (flags(c) & PUNCTUATION) != 0;
  }
}
