package org.hirengine.text.jinja;

import org.jspecify.annotations.Nullable;

/** A node of the tree that has a value. */
interface Expression {

  /**
   * The value, in Python's terms: null is None.
   *
   * @throws RenderError when Python or Jinja would raise
   */
  @Nullable Object evaluate(Scope scope);
}
