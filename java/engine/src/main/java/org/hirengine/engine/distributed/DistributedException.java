package org.hirengine.engine.distributed;

/** The ranks of a run cannot go on together: one line that names the rank, and what to do. */
public final class DistributedException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final String remedy;
  private final boolean toldByAnother;

  public DistributedException(String problem, String remedy) {
    this(problem, remedy, false);
  }

  /** Of a rank that failed as another did before it. */
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
   * Whether another rank has found out first and tells the user: so that a failure of the whole
   * group is one line on the console.
   */
  public boolean toldByAnother() {
    return toldByAnother;
  }
}
