package org.hirengine.verify.muldimif;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;
import org.jspecify.annotations.Nullable;

/**
 * The number words that a checker of the reference knows ({@code number_words}, {@code num_words},
 * {@code word_to_number}); they differ between checkers.
 */
final class NumberWords {

  private static final List<String> ENGLISH =
      List.of(
          "zero",
          "one",
          "two",
          "three",
          "four",
          "five",
          "six",
          "seven",
          "eight",
          "nine",
          "ten",
          "eleven",
          "twelve",
          "thirteen",
          "fourteen",
          "fifteen",
          "sixteen",
          "seventeen",
          "eighteen",
          "nineteen",
          "twenty");
  private static final List<String> TENS =
      List.of("thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety");

  /** One to ten. */
  static final NumberWords TO_TEN = new NumberWords().english(1, 10);

  /** Two and three, the only words for levels of nesting. */
  static final NumberWords TWO_OR_THREE = new NumberWords().english(2, 3);

  /** One to ten, once and twice. */
  static final NumberWords TIMES =
      new NumberWords().with("once", 1).english(1, 10).with("twice", 2);

  /** One to twenty, the tens, and hundred. */
  static final NumberWords TO_HUNDRED =
      new NumberWords().english(1, 20).tens().with("hundred", 100);

  /** Zero to twenty, the tens, and hundred. */
  static final NumberWords FROM_ZERO = new NumberWords().english(0, 20).tens().with("hundred", 100);

  /** The number words for sentences. */
  static final NumberWords OF_SENTENCES =
      new NumberWords()
          .english(1, 12)
          .with("fifteen", 15)
          .with("twenty", 20)
          .with("thirty", 30)
          .with("fifty", 50)
          .with("hundred", 100)
          .with("thousand", 1000)
          .chinese();

  /** The Chinese numerals to ten. */
  static final NumberWords CHINESE = new NumberWords().chinese();

  private static final PyPattern PARTS = PyPattern.compile("[\\s-]+");

  /** {@code sys.int_info.default_max_str_digits}. */
  private static final int MOST_DIGITS = 4300;

  private final Map<String, Integer> values = new LinkedHashMap<>();

  private NumberWords() {}

  private NumberWords with(String word, int value) {
    values.put(word, value);
    return this;
  }

  private NumberWords english(int from, int to) {
    for (int n = from; n <= to; n++) {
      values.put(ENGLISH.get(n), n);
    }
    return this;
  }

  private NumberWords tens() {
    for (int i = 0; i < TENS.size(); i++) {
      values.put(TENS.get(i), 30 + 10 * i);
    }
    return this;
  }

  private NumberWords chinese() {
    String numerals = "\u4E00\u4E8C\u4E09\u56DB\u4E94\u516D\u4E03\u516B\u4E5D\u5341";
    for (int i = 0; i < numerals.length(); i++) {
      values.put(numerals.substring(i, i + 1), i + 1);
    }
    return with("\u4E24", 2);
  }

  /** The words as alternatives of a pattern. */
  String alternatives() {
    return String.join("|", values.keySet());
  }

  /** The value of a word in lower case, or null. */
  @Nullable Long value(String word) {
    Integer value = values.get(word);
    return value == null ? null : Long.valueOf(value);
  }

  /** A number in digits, or a word in any case; null if it is neither. */
  @Nullable Long read(String number) {
    return PyText.isDigit(number) ? Long.valueOf(digits(number)) : value(PyText.lower(number));
  }

  /**
   * {@code _parse_number}: digits with commas among them, or words that are added up
   * ("twenty-five", "two hundred ten"); null if one of them is no number.
   */
  @Nullable Long readAll(String number) {
    String bare = PyText.strip(number).replace(",", "");
    if (PyText.isDigit(bare)) {
      return digits(bare);
    }
    long total = 0;
    long current = 0;
    for (String part : PARTS.split(CodePoints.of(PyText.lower(PyText.strip(bare))))) {
      Integer value = values.get(part);
      if (value == null) {
        return null;
      }
      if (value >= 100) {
        total += Math.max(1, current) * value;
        current = 0;
      } else {
        current += value;
      }
    }
    return total + current;
  }

  /**
   * {@code int(s)} for digits of any script; a number too large for an int becomes the largest int.
   *
   * @throws ReferenceRaises if Python refuses them
   */
  static long digits(String s) {
    if (PyText.length(s) > MOST_DIGITS) {
      throw new ReferenceRaises("a number of more than " + MOST_DIGITS + " digits");
    }
    long value = 0;
    for (int i = 0; i < s.length(); i = s.offsetByCodePoints(i, 1)) {
      int digit = Character.digit(s.codePointAt(i), 10);
      if (digit < 0) {
        throw new ReferenceRaises("'" + s + "' is no number");
      }
      value = value > (Long.MAX_VALUE - digit) / 10 ? Long.MAX_VALUE : 10 * value + digit;
    }
    return value;
  }
}
