package org.hirengine.verify.score;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Verdict;
import org.junit.jupiter.api.Test;

class CategoryScoreTest {

  private static JudgeList judges(Verdict... verdicts) {
    return new JudgeList(List.of(verdicts));
  }

  /** Three items, with tables counted by hand. */
  @Test
  void countsItemsAndConstraints() {
    Verdict yes = Verdict.satisfied("yes");
    Verdict no = Verdict.violated("no");
    CategoryScore score = new CategoryScore();
    score.add(
        List.of("Length_Words", "Length_Sentences", "Format_Json"),
        judges(yes, no, yes),
        "Level 1",
        "Listing");
    score.add(List.of("Length_Words"), judges(yes), "Level 1", "");
    score.add(
        List.of("Format_Table", "Length_Words"), judges(Verdict.none("why"), yes), "", "Example");

    assertEquals(new Tally(1, 3), score.overall());
    assertEquals(1, score.undecided());
    Map<String, Map<String, Tally>> tables = score.tables();
    assertEquals(
        Map.of("Length", new Tally(2, 3), "Format", new Tally(1, 2)),
        tables.get("constraint_category_list"));
    assertEquals(
        Map.of(
            "Length_Words", new Tally(3, 3),
            "Length_Sentences", new Tally(0, 1),
            "Format_Json", new Tally(1, 1),
            "Format_Table", new Tally(0, 1)),
        tables.get("constraint_category_second_list"));
    assertEquals(Map.of("Level 1", new Tally(1, 2)), tables.get("constraint_difficulty_list"));
    assertEquals(
        Map.of("Listing", new Tally(0, 1), "Example", new Tally(0, 1)),
        tables.get("constraint_pattern_list"));
    assertThrows(
        IllegalArgumentException.class, () -> score.add(List.of("Length_Words"), judges(), "", ""));
  }
}
