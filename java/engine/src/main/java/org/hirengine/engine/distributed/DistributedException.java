package org.hirengine.engine.distributed;

/** The ranks of a run cannot continue together: one line that names the rank, and what to do. */
public final class DistributedException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final String remedy;
  private final boolean toldByAnother;

  public DistributedException(String problem, String remedy) {
    this(problem, remedy, false);
  }

  /** For a rank that fails because another failed before. */
  public static DistributedException asAnother(Throwable cause) {
    DistributedException e =
        new DistributedException(String.valueOf(cause.getMessage()), "see the first error", true);
    e.initCause(cause);
    return e;
  }

  DistributedException(String problem, String remedy, boolean toldByAnother) {
    super(problem);
    this.remedy = remedy;
    this.toldByAnother = toldByAnother;
  }

  /** What to do about it, as one sentence. */
  public String remedy() {
    return remedy;
  }

  /**
   * Whether another rank noticed first and tells the user, so that a failure of the whole group is
   * one line on the console.
   */
  public boolean toldByAnother() {
    return toldByAnother;
  }
}
