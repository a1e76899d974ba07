package org.hirengine.replay;

/** The result of rewriting an instruction for a response. */
public sealed interface Rewrite {

  /**
   * A rewritten instruction that the response satisfies.
   *
   * @param instruction x'
   * @param relabelled violated constraints that got the parameters the response achieved
   * @param swapped violated constraints replaced by a satisfied one of another type
   * @param dropped violated constraints left out
   */
  record Rewritten(Instruction instruction, int relabelled, int swapped, int dropped)
      implements Rewrite {}

  /**
   * No replay for this pair.
   *
   * @param reason why, for counting
   * @param detail the constraint or text at fault, for people
   */
  record Skipped(Reason reason, String detail) implements Rewrite {}

  /** Why a pair cannot be replayed. */
  enum Reason {
    /** The instruction has no sentences of its own to rewrite. */
    NO_SENTENCES,
    /** The instruction has sentences but no constraints that a verifier could check. */
    NO_CONSTRAINTS,
    /** A constraint got no verdict. */
    UNDECIDED,
    /** Every constraint holds: there is nothing to rewrite. */
    ALREADY_SATISFIED,
    /** No constraint would be left. */
    NOTHING_SATISFIED,
    /** The response is blank: any instruction it satisfies would teach silence. */
    EMPTY_RESPONSE,
    /** The verifier does not confirm the new constraint on the response. */
    NOT_CONFIRMED
  }
}
