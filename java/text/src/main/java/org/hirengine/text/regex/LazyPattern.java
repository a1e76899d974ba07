package org.hirengine.text.regex;

import org.jspecify.annotations.Nullable;

/**
 * A pattern from constraint data. One that Python would refuse fails when it is used, as in the
 * references, not when the constraint is read.
 */
public final class LazyPattern {

  private final @Nullable PyPattern pattern;
  private final @Nullable PyPatternException problem;

  private LazyPattern(@Nullable PyPattern pattern, @Nullable PyPatternException problem) {
    this.pattern = pattern;
    this.problem = problem;
  }

  /**
   * @param flags as for {@link PyPattern#compile(String, int)}
   */
  public static LazyPattern of(String source, int flags) {
    try {
      return new LazyPattern(PyPattern.compile(source, flags), null);
    } catch (PyPatternException e) {
      return new LazyPattern(null, e);
    }
  }

  /**
   * The pattern.
   *
   * @throws PyPatternException if Python would refuse it
   */
  public PyPattern get() {
    if (pattern != null) {
      return pattern;
    }
    throw problem == null ? new IllegalStateException("neither pattern nor problem") : problem;
  }
}
