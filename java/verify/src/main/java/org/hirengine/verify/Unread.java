package org.hirengine.verify;

import java.util.Locale;

/** How to treat a constraint whose words no rule understands ({@link Verifier#unread}). */
public enum Unread {
  /** The verdict that the reference gives by default, as in official scores. */
  REFERENCE,
  /** No verdict, so that it earns no reward. */
  NO_VERDICT;

  /** The name in configurations and on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
