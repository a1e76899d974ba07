package org.hirengine.replay;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Response;

/**
 * The paper's rewriting: x' = (q, {ci : J[i]}), the violated constraints dropped.
 *
 * <p>Works on sentences alone too, so instructions without machine-readable constraints can be
 * rewritten from a judge list of any origin.
 */
public final class DropRewriter implements Rewriter {

  @Override
  public Rewrite rewrite(
      Instruction instruction,
      Response response,
      JudgeList judges,
      List<Response> peers,
      RandomGenerator random) {
    Rewrite.Skipped skipped = Rewrites.unfit(instruction, judges);
    if (skipped != null) {
      return skipped;
    }
    List<String> criteria = new ArrayList<>();
    List<ConstraintSpec> constraints = new ArrayList<>();
    for (int i = 0; i < judges.size(); i++) {
      if (judges.satisfied(i)) {
        criteria.add(instruction.criteria().get(i));
        if (!instruction.constraints().isEmpty()) {
          constraints.add(instruction.constraints().get(i));
        }
      }
    }
    if (criteria.isEmpty()) {
      return new Rewrite.Skipped(
          Rewrite.Reason.NOTHING_SATISFIED, "none of " + judges.size() + " constraints holds");
    }
    return new Rewrite.Rewritten(
        instruction.with(criteria, constraints), 0, 0, judges.size() - criteria.size());
  }
}
