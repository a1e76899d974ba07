package org.hirengine.text.jinja;

/**
 * A fault while rendering, thrown where the line is not known; {@link JinjaTemplate#render} turns
 * it into a {@link TemplateException}.
 */
final class RenderError extends RuntimeException {

  private static final long serialVersionUID = 1L;

  RenderError(String problem) {
    super(problem, null, false, false);
  }

  /** Python that jinja2 would run and this interpreter does not. */
  static RenderError unsupported(String construct) {
    return new RenderError(construct + " is not supported in chat templates here");
  }
}
