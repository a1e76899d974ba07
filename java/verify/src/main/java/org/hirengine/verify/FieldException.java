package org.hirengine.verify;

/** A field of a JSON line that cannot be used: which one, what is wrong, and how to correct it. */
public final class FieldException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  private final String field;
  private final String problem;
  private final String remedy;

  public FieldException(String field, String problem, String remedy) {
    super("field '" + field + "' " + problem + ": " + remedy);
    this.field = field;
    this.problem = problem;
    this.remedy = remedy;
  }

  /** The field's name, with an index if one entry of a list is at fault. */
  public String field() {
    return field;
  }

  /** What is wrong, as it follows the field's name: "is missing". */
  public String problem() {
    return problem;
  }

  /** What to do about it. */
  public String remedy() {
    return remedy;
  }
}
