package org.hirengine.replay;

import org.hirengine.verify.JudgeList;
import org.jspecify.annotations.Nullable;

/** Conditions that every rewriter checks first. */
final class Rewrites {

  private Rewrites() {}

  /** Why this pair cannot be rewritten by any rewriter, or null when it can. */
  static Rewrite.@Nullable Skipped unfit(Instruction instruction, JudgeList judges) {
    if (instruction.criteria().isEmpty()) {
      return new Rewrite.Skipped(
          Rewrite.Reason.NO_SENTENCES, "instruction " + instruction.id() + " has no criteria");
    }
    if (judges.size() != instruction.criteria().size()) {
      throw new IllegalArgumentException(
          "instruction "
              + instruction.id()
              + " has "
              + instruction.criteria().size()
              + " constraints, its judge list "
              + judges.size()
              + " verdicts");
    }
    for (int i = 0; i < judges.size(); i++) {
      if (!judges.verdicts().get(i).decided()) {
        return new Rewrite.Skipped(
            Rewrite.Reason.UNDECIDED, "no verdict on '" + instruction.criteria().get(i) + "'");
      }
    }
    if (judges.ila()) {
      return new Rewrite.Skipped(
          Rewrite.Reason.ALREADY_SATISFIED, "all " + judges.size() + " constraints hold");
    }
    return null;
  }
}
