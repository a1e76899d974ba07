package org.hirengine.verify.score;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.hirengine.verify.JudgeList;

/**
 * The score of IFEval and IFBench ({@code print_report} of their {@code evaluation_lib}) in one
 * mode, strict or loose.
 *
 * <p>Prompt-level accuracy is the share of prompts whose instructions are all followed,
 * instruction-level accuracy the share of instructions followed; tier 0 groups them by the part of
 * the id before the colon, tier 1 by the whole id. Failed checks and missing verdicts count as not
 * followed.
 */
public final class InstructionScore {

  private Tally prompts = Tally.NONE;
  private Tally instructions = Tally.NONE;
  private final Map<String, Tally> tier0 = new TreeMap<>();
  private final Map<String, Tally> tier1 = new TreeMap<>();
  private int undecided;

  /**
   * Adds one response.
   *
   * @param ids the ids of its prompt's instructions
   * @param judges their verdicts, in the same order
   */
  public void add(List<String> ids, JudgeList judges) {
    if (ids.size() != judges.size()) {
      throw new IllegalArgumentException(
          ids.size() + " instructions, but " + judges.size() + " verdicts");
    }
    prompts = prompts.plus(judges.ila());
    for (int i = 0; i < ids.size(); i++) {
      boolean followed = judges.satisfied(i);
      String id = ids.get(i);
      int colon = id.indexOf(':');
      String group = colon < 0 ? id : id.substring(0, colon);
      instructions = instructions.plus(followed);
      tier0.merge(group, Tally.NONE.plus(followed), (sum, one) -> sum.plus(followed));
      tier1.merge(id, Tally.NONE.plus(followed), (sum, one) -> sum.plus(followed));
      if (!judges.verdicts().get(i).decided()) {
        undecided++;
      }
    }
  }

  /** Prompts with all instructions followed. */
  public Tally prompts() {
    return prompts;
  }

  /** Instructions followed. */
  public Tally instructions() {
    return instructions;
  }

  /** Instructions followed by the part of their id before the colon, in alphabetical order. */
  public Map<String, Tally> tier0() {
    return Collections.unmodifiableMap(tier0);
  }

  /** Instructions followed by id, in alphabetical order. */
  public Map<String, Tally> tier1() {
    return Collections.unmodifiableMap(tier1);
  }

  /** Instructions that no verifier could check; they count as not followed. */
  public int undecided() {
    return undecided;
  }
}
