package org.hirengine.verify.muldimif;

/** Where the reference's Python stops with an exception; the verdict is a failed one. */
final class ReferenceRaises extends RuntimeException {

  private static final long serialVersionUID = 1L;

  ReferenceRaises(String what) {
    super("the reference raises: " + what);
  }
}
