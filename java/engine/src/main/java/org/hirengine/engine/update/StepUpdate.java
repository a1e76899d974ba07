package org.hirengine.engine.update;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.hirengine.engine.config.TrainSection;
import org.hirengine.engine.experience.TrainingRow;

/**
 * The updates of one step: mini-batches of consecutive rows, one optimizer step each, in one or
 * more passes (ALGORITHM 2.9). Runs on the native thread.
 */
public final class StepUpdate {

  private final TrainSection config;
  private final PolicyUpdate update;

  public StepUpdate(TrainSection config, PolicyUpdate update) {
    this.config = config;
    this.update = update;
  }

  /** Updates that a step makes when nothing goes wrong. */
  public int planned() {
    return config.updatesPerEpoch() * config.epochs();
  }

  /**
   * Trains on a step's rows. An update that is not finite ends the step: the rows after it were
   * meant for the policy that it should have made.
   */
  public UpdateReport run(List<TrainingRow> rows) {
    return run(rows, (done, of) -> {});
  }

  /** Receives how many rows have been trained on, counting every pass. */
  public interface Progress {

    void rows(long done, long of);
  }

  /** Trains on a step's rows as {@link #run(List)} does, and reports progress. */
  public UpdateReport run(List<TrainingRow> rows, Progress progress) {
    long all = (long) rows.size() * config.epochs();
    AtomicLong done = new AtomicLong();
    int parts = config.updatesPerEpoch();
    UpdateReport report = UpdateReport.NONE;
    for (int i = 0; i < planned() && !report.failed(); i++) {
      int part = i % parts;
      int from = (int) ((long) rows.size() * part / parts);
      int to = (int) ((long) rows.size() * (part + 1) / parts);
      if (from < to) {
        report =
            report.plus(
                update.update(
                    rows.subList(from, to),
                    trained -> progress.rows(done.addAndGet(trained), all)));
      }
    }
    update.release();
    return report.failed() ? report.leftOut(planned() - report.made(), report.problem()) : report;
  }
}
