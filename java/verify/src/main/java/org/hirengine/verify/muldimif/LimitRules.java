package org.hirengine.verify.muldimif;

import java.util.ArrayList;
import java.util.List;
import org.hirengine.text.CodePoints;
import org.hirengine.text.regex.PyPattern;
import org.jspecify.annotations.Nullable;

/**
 * The wordings by which a checker of the reference recognises a limit, in its order: the first that
 * occurs in the sentence decides. In a wording {@code N} stands for a number, in digits or words,
 * and {@code D} for one in digits.
 *
 * <p>Wordings of the reference that can never decide are left out: those that only occur where an
 * earlier one of the same kind does.
 */
final class LimitRules {

  /** Any decimal digits. */
  private static final String DIGITS = "(\\d+)";

  private enum Kind {
    EXACTLY,
    AT_LEAST,
    AT_MOST,
    RANGE,
    ONE
  }

  private record Rule(Kind kind, PyPattern pattern) {}

  private final NumberWords words;
  private final String number;
  private final int flags;
  private final List<Rule> rules = new ArrayList<>();

  /**
   * @param number the group that {@code N} stands for
   * @param flags of {@link PyPattern}
   */
  LimitRules(NumberWords words, String number, int flags) {
    this.words = words;
    this.number = number;
    this.flags = flags;
  }

  private LimitRules add(Kind kind, String... wordings) {
    for (String wording : wordings) {
      String pattern = wording.replace("N", number).replace("D", DIGITS);
      rules.add(new Rule(kind, PyPattern.compile(pattern, flags)));
    }
    return this;
  }

  LimitRules exactly(String... wordings) {
    return add(Kind.EXACTLY, wordings);
  }

  LimitRules atLeast(String... wordings) {
    return add(Kind.AT_LEAST, wordings);
  }

  LimitRules atMost(String... wordings) {
    return add(Kind.AT_MOST, wordings);
  }

  /** Two numbers. */
  LimitRules range(String... wordings) {
    return add(Kind.RANGE, wordings);
  }

  /** No number: exactly one. */
  LimitRules one(String... wordings) {
    return add(Kind.ONE, wordings);
  }

  /**
   * The limits that a sentence sets, or null if no wording is known.
   *
   * @throws ReferenceRaises if the reference cannot read a number
   */
  @Nullable Bounds in(String sentence) {
    CodePoints points = CodePoints.of(sentence);
    for (Rule rule : rules) {
      PyPattern.Match match = rule.pattern.search(points);
      if (match != null) {
        return switch (rule.kind) {
          case EXACTLY -> Bounds.exactly(number(match, 1));
          case AT_LEAST -> Bounds.atLeast(number(match, 1));
          case AT_MOST -> Bounds.atMost(number(match, 1));
          case RANGE -> new Bounds(number(match, 1), number(match, 2));
          case ONE -> Bounds.exactly(1);
        };
      }
    }
    return null;
  }

  /** All numbers in the wordings, of any kind. */
  List<Long> numbersIn(String sentence) {
    CodePoints points = CodePoints.of(sentence);
    List<Long> numbers = new ArrayList<>();
    for (Rule rule : rules) {
      rule.pattern.findAll(points).forEach(match -> numbers.add(number(match, 1)));
    }
    return numbers;
  }

  /**
   * A word that is a number only when case is ignored, such as one with a long s, counts as zero in
   * the reference.
   */
  private long number(PyPattern.Match match, int group) {
    Long value = words.read(String.valueOf(match.group(group)));
    return value == null ? 0 : value;
  }
}
