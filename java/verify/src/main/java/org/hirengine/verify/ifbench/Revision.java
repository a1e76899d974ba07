package org.hirengine.verify.ifbench;

import org.hirengine.verify.Verdict;

/** The two published releases of IFBench's reference checkers. */
public enum Revision {
  /** The first release, which splits sentences by rules and lets some checks raise. */
  R1("ifbench"),
  /** The corrected release, which splits sentences by Punkt and fails where the first raised. */
  R2("ifbench-r2");

  private final String bench;

  Revision(String bench) {
    this.bench = bench;
  }

  /** The benchmark's name in constraints and on the command line. */
  public String bench() {
    return bench;
  }

  /** The verdict on a response that makes the first release's checker raise an exception. */
  Verdict raised(String reason) {
    return this == R1 ? raises(reason) : Verdict.violated(reason);
  }

  /** The verdict on a response that makes the checkers of both revisions raise an exception. */
  static Verdict raises(String reason) {
    return Verdict.failed("the reference raises: " + reason);
  }
}
