package org.hirengine.verify.muldimif;

import java.util.Optional;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;

/**
 * A constraint whose sentence no rule of the reference understands: the verdict is the reference's
 * default, and its reason says so.
 */
final class NotUnderstood implements Verifier {

  private final String why;
  private final Verifier reference;

  private NotUnderstood(String why, Verifier reference) {
    this.why = "not understood: " + why;
    this.reference = reference;
  }

  /** Satisfied by any response. */
  static Verifier satisfied(String why) {
    return of(why, response -> Verdict.satisfied(""));
  }

  /** Violated by any response. */
  static Verifier violated(String why) {
    return of(why, response -> Verdict.violated(""));
  }

  /** Checked by the reference, but not for what the sentence says. */
  static Verifier of(String why, Verifier reference) {
    return new NotUnderstood(why, reference);
  }

  @Override
  public Verdict check(Response response) {
    Verdict verdict = reference.check(response);
    String outcome =
        switch (verdict.outcome()) {
          case SATISFIED -> "satisfied";
          case VIOLATED -> "violated";
          default -> verdict.reason();
        };
    return new Verdict(verdict.outcome(), why + " (the reference then says: " + outcome + ")");
  }

  @Override
  public Optional<String> unread() {
    return Optional.of(why);
  }
}
