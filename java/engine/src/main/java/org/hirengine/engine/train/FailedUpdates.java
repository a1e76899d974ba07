package org.hirengine.engine.train;

import org.hirengine.engine.update.UpdateReport;

/** Counts consecutive updates that were not finite; after {@link #MOST} of them a run gives up. */
final class FailedUpdates {

  static final int MOST = 3;

  private int inARow;

  /** Counts an update, or the updates of one step. */
  void count(UpdateReport report) {
    inARow = report.failed() ? inARow + 1 : 0;
  }

  int inARow() {
    return inARow;
  }

  /** Continues another run's count. */
  void restore(int saved) {
    inARow = saved;
  }

  boolean tooMany() {
    return inARow >= MOST;
  }
}
