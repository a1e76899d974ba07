package org.hirengine.verify;

/**
 * No rule understands a constraint's words, and that means no verdict ({@link Unread#NO_VERDICT}).
 */
public final class NotUnderstoodException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  NotUnderstoodException(String message) {
    super(message);
  }
}
