package org.hirengine.verify;

import java.util.Locale;

/** What becomes of a constraint whose words no rule understands ({@link Verifier#unread}). */
public enum Unread {
  /** The verdict that the reference gives by default stands, as official scores need it. */
  REFERENCE,
  /** No verdict: what nobody understood is no reward. */
  NO_VERDICT;

  /** The name in configurations and on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
