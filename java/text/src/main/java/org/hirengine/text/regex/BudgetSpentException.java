package org.hirengine.text.regex;

/** A match was stopped because it took more steps than its budget allows. */
public final class BudgetSpentException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  BudgetSpentException(String pattern, long steps) {
    super("pattern '" + pattern + "' was stopped after " + steps + " steps");
  }
}
