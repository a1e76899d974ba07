package org.hirengine.replay;

import java.util.List;
import java.util.random.RandomGenerator;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Response;

/**
 * Hindsight: turns a pair (x, y) in which y fails x into (x', y) in which it succeeds.
 *
 * <p>Whatever the rewriter, x' keeps the request, the template (q_type), the system prompt, the
 * history and the chat template's options of x. A constraint without a verdict is neither taken as
 * satisfied nor dropped: such a pair is not rewritten at all ({@link Rewrite.Reason#UNDECIDED}).
 *
 * <p>Implementations keep no state and may be shared between threads.
 */
public interface Rewriter {

  /**
   * Rewrites one pair.
   *
   * @param instruction x
   * @param response y, the text that {@code judges} was decided on
   * @param judges J, a verdict for each constraint of x in its order
   * @param peers other responses to x, which show a rewriter which goals are hard; may be empty
   * @param random the pair's own random stream
   * @throws IllegalArgumentException when {@code judges} does not fit the instruction
   */
  Rewrite rewrite(
      Instruction instruction,
      Response response,
      JudgeList judges,
      List<Response> peers,
      RandomGenerator random);

  /** Rewrites a pair without other responses to compare with. */
  default Rewrite rewrite(
      Instruction instruction, Response response, JudgeList judges, RandomGenerator random) {
    return rewrite(instruction, response, judges, List.of(), random);
  }
}
