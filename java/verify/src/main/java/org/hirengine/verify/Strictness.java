package org.hirengine.verify;

/** How tolerant a verdict is of text around the answer. */
public enum Strictness {
  /** The unchanged response. */
  STRICT,
  /** Satisfied when any of {@link Response#looseVariants()} is. */
  LOOSE
}
