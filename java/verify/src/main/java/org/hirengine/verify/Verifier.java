package org.hirengine.verify;

import java.util.Optional;

/**
 * One constraint, ready to check responses: the parsed form of an id and its kwargs.
 *
 * <p>Implementations are immutable and safe for use by any number of threads; the same response
 * always gets the same verdict.
 */
@FunctionalInterface
public interface Verifier {

  /**
   * Checks one response. May throw or overrun its step budget: {@link Verifiers} turns both into a
   * failed verdict.
   */
  Verdict check(Response response);

  /**
   * Why the constraint's words were not understood; empty (the default) if they were. A constraint
   * that is not understood still has the verdict that its reference gives by default, often
   * "satisfied" whatever the response says; {@link Unread} decides whether that counts.
   */
  default Optional<String> unread() {
    return Optional.empty();
  }
}
