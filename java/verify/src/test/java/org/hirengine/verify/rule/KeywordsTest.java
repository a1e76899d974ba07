package org.hirengine.verify.rule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifiers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What reference lines and random texts do not show of the types with keywords. */
class KeywordsTest {

  private static final Verifiers VERIFIERS = Verifiers.standard();

  private static ConstraintType type(String bench, String id) {
    return VERIFIERS.type(bench, id).orElseThrow();
  }

  /** The references compare as it stands; IFBench's second revision lowers both words first. */
  @ParameterizedTest
  @CsvSource({
    "iftrain, keywords:keyword_specific_position, false",
    "ifbench, words:keywords_specific_position, false",
    "ifbench-r2, words:keywords_specific_position, true"
  })
  void aKeywordAtAPositionMayHaveToHaveItsCase(String bench, String id, boolean ignored) {
    Response response = Response.of("It rains. The River rose.");
    ConstraintType type = type(bench, id);
    assertTrue(type.parse(Map.of("keyword", "River", "n", 2, "m", 2)).check(response).satisfied());
    Verdict other = type.parse(Map.of("keyword", "river", "n", 2, "m", 2)).check(response);
    assertEquals(ignored, other.satisfied());
    assertTrue(other.reason().startsWith("word 2 of sentence 2 is "), other.reason());
    Verdict none = type.parse(Map.of("keyword", "River", "n", 3, "m", 2)).check(response);
    assertTrue(none.reason().startsWith("there is no word 2 in sentence 3"), none.reason());
  }

  /** Three uses are fewer than four. */
  @Test
  void aFrequencyThatIsAchievedIsTheClosest() {
    Map<String, Object> asked = Map.of("keyword", "river", "frequency", 2, "relation", "less than");
    assertEquals(
        Optional.of(Map.of("keyword", "river", "frequency", 4, "relation", "less than")),
        type("ifeval", "keywords:frequency")
            .achieved(Response.of("River, river, river."), asked, new SplittableRandom(1)));
  }

  @Test
  void theWordOfAFrequencyIsQuoted() {
    assertEquals(
        List.of("river"),
        type("ifeval", "keywords:frequency")
            .quoted(Map.of("keyword", " river ", "frequency", 2, "relation", "at least")));
  }

  /** No text is all in capitals and all in lower case. */
  @Test
  void clashesAreThoseOfTheTable() {
    Set<String> clashes = type("ifeval", "change_case:english_capital").clashes();
    assertTrue(clashes.contains("change_case:english_lowercase"), clashes.toString());
  }
}
