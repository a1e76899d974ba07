package org.hirengine.text.jinja;

/** A node of the tree that does something. */
interface Statement {

  /** How a statement ends. */
  enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  /**
   * Does it.
   *
   * @throws RenderError when Python or Jinja would raise
   */
  Flow execute(Scope scope);
}
