package org.hirengine.verify.rule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.hirengine.verify.Verdict;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RelationTest {

  @Test
  void theBoundItselfIsAtLeastAndNotLess() {
    assertTrue(Relation.AT_LEAST.holds(3, 3));
    assertFalse(Relation.AT_LEAST.holds(2, 3));
    assertFalse(Relation.LESS_THAN.holds(3, 3));
    assertTrue(Relation.LESS_THAN.holds(2, 3));
    assertTrue(Relation.AT_LEAST.holds(0, 0));
    assertFalse(Relation.LESS_THAN.holds(0, 0));
  }

  @Test
  void reasonsNameCountAndBound() {
    assertEquals(
        Verdict.of(false, "letter 'e' found 1 time, at least 2 asked"),
        Relation.AT_LEAST.found("letter 'e'", 1, 2));
    assertEquals(
        Verdict.of(true, "letter 'e' found 0 times, fewer than 1 asked"),
        Relation.LESS_THAN.found("letter 'e'", 0, 1));
  }

  @ParameterizedTest
  @CsvSource({
    "AT_LEAST, 1, Use X at least once.",
    "AT_LEAST, 2, Use X at least 2 times.",
    "AT_LEAST, 0, Use X at least 0 times.",
    "LESS_THAN, 1, Do not use X.",
    "LESS_THAN, 2, Use X fewer than 2 times.",
  })
  void sentences(Relation relation, long asked, String sentence) {
    assertEquals(sentence, relation.use("X", asked));
  }

  /** All bounds that a count satisfies, up to 4 away from the tightest. */
  @ParameterizedTest
  @CsvSource({
    "AT_LEAST, 10, '[6, 7, 8, 9, 10]'",
    "AT_LEAST, 3, '[1, 2, 3]'",
    "AT_LEAST, 1, '[1]'",
    "AT_LEAST, 0, '[0]'",
    "LESS_THAN, 10, '[11, 12, 13, 14, 15]'",
    "LESS_THAN, 0, '[1, 2, 3, 4, 5]'",
  })
  void achievedBounds(Relation relation, long count, String bounds) {
    RandomGenerator random = new SplittableRandom(1);
    Set<Integer> seen = new TreeSet<>();
    for (int i = 0; i < 200; i++) {
      seen.add(relation.achieved(count, random));
    }
    assertEquals(bounds, seen.toString());
    seen.forEach(asked -> assertTrue(relation.holds(count, asked)));
  }
}
