package org.hirengine.verify.muldimif;

import java.util.List;
import java.util.Set;
import java.util.function.LongPredicate;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * What a constraint asks of a text's headings ({@code _check_rule}).
 *
 * @param asked the demand in words, for reasons
 */
record HeadingRule(String asked, Predicate<List<Heading>> holds) {

  /** A line of number signs, white space and a title; the level is the number of the signs. */
  record Heading(long level, String title) {}

  /** A demand that a text without headings never meets. */
  private static HeadingRule ofSome(String asked, Predicate<List<Heading>> holds) {
    return new HeadingRule(asked, headings -> !headings.isEmpty() && holds.test(headings));
  }

  private static Set<Long> levels(List<Heading> headings) {
    return headings.stream().map(Heading::level).collect(Collectors.toSet());
  }

  /** {@code min_level_count} of any level. */
  static HeadingRule some() {
    return ofSome("a heading", headings -> true);
  }

  /** {@code min_level_count}. */
  static HeadingRule level(long level) {
    return ofSome("level " + level, headings -> levels(headings).contains(level));
  }

  /** {@code exact_heading}. */
  static HeadingRule titled(long level, String title) {
    return ofSome(
        "level " + level + " titled '" + title + "'",
        headings -> headings.contains(new Heading(level, title)));
  }

  /** {@code level_count_condition}; satisfied without headings if none are asked for. */
  static HeadingRule levelCount(String asked, LongPredicate holds) {
    return new HeadingRule(asked + " levels", headings -> holds.test(levels(headings).size()));
  }

  /** {@code max_level}. */
  static HeadingRule deepest(long level) {
    return ofSome(
        "no level beyond " + level, headings -> headings.stream().allMatch(h -> h.level <= level));
  }

  /** {@code starts_with_level}. */
  static HeadingRule first(long level) {
    return ofSome("level " + level + " first", headings -> headings.get(0).level == level);
  }

  /** {@code required_levels}. */
  static HeadingRule all(Set<Long> levels) {
    return ofSome("the levels " + levels, headings -> levels(headings).containsAll(levels));
  }

  /** {@code must_be_questions}: headings with a question mark have this level. */
  static HeadingRule questions(long level) {
    return ofSome(
        "questions at level " + level,
        headings -> headings.stream().allMatch(h -> h.level == level || !h.title.contains("?")));
  }

  /** {@code just_xx_level_xx_heading}, for one. */
  static HeadingRule single(long level) {
    return ofSome(
        "one heading of level " + level,
        headings -> headings.stream().filter(h -> h.level == level).count() == 1);
  }
}
