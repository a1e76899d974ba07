package org.hirengine.text.jinja;

/** A chat template that cannot be read or rendered: which one, the line, and what is wrong. */
public final class TemplateException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final int line;

  /**
   * Describes the fault.
   *
   * @param template the template's name or file
   * @param line the line from 1
   * @param problem what is wrong
   */
  public TemplateException(String template, int line, String problem) {
    super(template + ":" + line + ": " + problem);
    this.line = line;
  }

  /** The template's line at fault, from 1. */
  public int line() {
    return line;
  }
}
