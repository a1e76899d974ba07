package org.hirengine.text.regex;

/** A pattern that Python's {@code re} would refuse to compile. */
public final class PyPatternException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  PyPatternException(String problem, String pattern, int position) {
    super(problem + " at position " + position + " of pattern '" + pattern + "'");
  }
}
