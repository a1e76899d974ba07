package org.hirengine.text.jinja;

/** A node of the tree that is executed. */
interface Statement {

  /** How a statement ends. */
  enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  /**
   * Executes the statement.
   *
   * @throws RenderError when Python or Jinja would raise
   */
  Flow execute(Scope scope);
}
