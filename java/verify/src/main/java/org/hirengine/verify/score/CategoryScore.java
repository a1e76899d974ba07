package org.hirengine.verify.score;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.muldimif.MulDimIfTypes;

/**
 * The score of MulDimIF: shares of items whose constraints are all met, overall, by first-level
 * category, difficulty and pattern; and of constraints, by second-level category.
 */
public final class CategoryScore {

  private Tally overall = Tally.NONE;
  private final Map<String, Tally> firstLevel = new TreeMap<>();
  private final Map<String, Tally> secondLevel = new TreeMap<>();
  private final Map<String, Tally> difficulties = new TreeMap<>();
  private final Map<String, Tally> patterns = new TreeMap<>();
  private int undecided;

  /**
   * Adds one response.
   *
   * @param ids the ids of its item's constraints ({@code category_subcategory})
   * @param judges their verdicts, in the same order
   * @param difficulty such as {@code Level 1}; empty if the item does not say
   * @param pattern such as {@code Listing}; empty if the item does not say
   */
  public void add(List<String> ids, JudgeList judges, String difficulty, String pattern) {
    if (ids.size() != judges.size()) {
      throw new IllegalArgumentException(
          ids.size() + " constraints, but " + judges.size() + " verdicts");
    }
    overall = overall.plus(judges.ila());
    Map<String, Boolean> all = new HashMap<>();
    for (int i = 0; i < ids.size(); i++) {
      boolean met = judges.satisfied(i);
      String second = MulDimIfTypes.secondLevel(ids.get(i));
      all.merge(MulDimIfTypes.firstLevel(ids.get(i)), met, Boolean::logicalAnd);
      count(secondLevel, second, met);
      if (!judges.verdicts().get(i).decided()) {
        undecided++;
      }
    }
    all.forEach((category, met) -> count(firstLevel, category, met));
    if (!difficulty.isEmpty()) {
      count(difficulties, difficulty, judges.ila());
    }
    if (!pattern.isEmpty()) {
      count(patterns, pattern, judges.ila());
    }
  }

  private static void count(Map<String, Tally> tallies, String key, boolean met) {
    tallies.put(key, tallies.getOrDefault(key, Tally.NONE).plus(met));
  }

  /** Items with all constraints met. */
  public Tally overall() {
    return overall;
  }

  /**
   * The other tables by the names of the official report, each in alphabetical order: {@code
   * constraint_category_list}, {@code constraint_category_second_list}, {@code
   * constraint_difficulty_list} and {@code constraint_pattern_list}.
   */
  public Map<String, Map<String, Tally>> tables() {
    Map<String, Map<String, Tally>> tables = new TreeMap<>();
    tables.put("constraint_category_list", firstLevel);
    tables.put("constraint_category_second_list", secondLevel);
    tables.put("constraint_difficulty_list", difficulties);
    tables.put("constraint_pattern_list", patterns);
    return tables;
  }

  /** Constraints that no verifier could check; they count as not met. */
  public int undecided() {
    return undecided;
  }
}
