package org.hirengine.verify.muldimif;

/** Thrown if the reference stops with an exception; the verdict is then FAILED. */
final class ReferenceRaises extends RuntimeException {

  private static final long serialVersionUID = 1L;

  ReferenceRaises(String what) {
    super("the reference raises: " + what);
  }
}
