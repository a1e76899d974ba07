package org.hirengine.verify;

/**
 * A verifier's answer for one response and one constraint, with the reason.
 *
 * <p>{@code reason} names what was found and what was asked ("7 words, at least 12 asked"), so that
 * a reader of a report understands the verdict.
 */
public record Verdict(Outcome outcome, String reason) {

  /** How a check ended. */
  public enum Outcome {
    /** The response satisfies the constraint. */
    SATISFIED,
    /** The response violates the constraint. */
    VIOLATED,
    /**
     * The check threw or spent its step budget: not satisfied, counted by type, and never an
     * exception for the caller.
     */
    FAILED,
    /**
     * No configured verifier can check this constraint (no judge configured, code in the data,
     * unknown id): neither satisfied nor violated. A row with such a constraint is left out of
     * training by default, and counted.
     */
    NO_VERDICT
  }

  public static Verdict satisfied(String reason) {
    return new Verdict(Outcome.SATISFIED, reason);
  }

  public static Verdict violated(String reason) {
    return new Verdict(Outcome.VIOLATED, reason);
  }

  public static Verdict of(boolean satisfied, String reason) {
    return satisfied ? satisfied(reason) : violated(reason);
  }

  public static Verdict failed(String reason) {
    return new Verdict(Outcome.FAILED, reason);
  }

  public static Verdict none(String reason) {
    return new Verdict(Outcome.NO_VERDICT, reason);
  }

  /** True only for {@link Outcome#SATISFIED}. */
  public boolean satisfied() {
    return outcome == Outcome.SATISFIED;
  }

  /** False when no verifier could check the constraint. */
  public boolean decided() {
    return outcome != Outcome.NO_VERDICT;
  }
}
