package org.hirengine.cli;

/**
 * A command that cannot continue: one line that says what is wrong, and a hint that says what to do
 * about it.
 */
final class Failure extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final String hint;

  Failure(String message, String hint) {
    super(message);
    this.hint = hint;
  }

  String hint() {
    return hint;
  }
}
