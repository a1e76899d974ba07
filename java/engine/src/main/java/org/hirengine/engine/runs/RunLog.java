package org.hirengine.engine.runs;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes a run's steps into its folder: rollout dump, TensorBoard events and, last, the line of
 * {@code metrics.jsonl}; so a step with its line is complete. Writes nothing if another process
 * writes the folder.
 */
public final class RunLog implements AutoCloseable {

  private final RunFolder folder;
  private final @Nullable MetricsLog metrics;
  private final @Nullable TensorBoardEvents events;
  private final boolean rollouts;

  /**
   * Opens the log of a run that has taken {@code step} steps: 0, or those of the checkpoint it
   * resumes from. Later steps in the folder are dropped, since they are repeated.
   *
   * @param rollouts whether trained rows are dumped
   * @param tensorboard whether event files are written
   * @throws RunException when something cannot be read or written
   */
  public RunLog(RunFolder folder, int step, boolean rollouts, boolean tensorboard) {
    this.folder = folder;
    this.rollouts = rollouts;
    if (!folder.writes()) {
      metrics = null;
      events = null;
      return;
    }
    RolloutDump.deleteAfter(folder.rollouts(), step);
    this.metrics = MetricsLog.open(folder.metrics());
    metrics.truncateAfter(step);
    this.events = tensorboard ? new TensorBoardEvents(folder.path(), step + 1) : null;
  }

  /**
   * Writes a step.
   *
   * @param rows the rows it trained on, in training order
   */
  public void step(StepMetrics step, List<RolloutRow> rows) {
    if (metrics == null) {
      return;
    }
    if (rollouts) {
      dump(step.step(), rows);
    }
    if (events != null) {
      events.step(step);
    }
    metrics.append(step);
  }

  /** Dumps a step's rows regardless of the configuration: those of an update that failed. */
  public void dump(int step, List<RolloutRow> rows) {
    if (metrics != null) {
      RolloutDump.write(RolloutDump.file(folder.rollouts(), step), step, rows);
    }
  }

  /** Shows a text, such as the configuration, in TensorBoard. */
  public void text(String tag, String markdown, int step) {
    if (events != null) {
      events.text(tag, markdown, step);
    }
  }

  /** Forces everything written to disk; must precede a valid checkpoint. */
  public void sync() {
    if (metrics != null) {
      metrics.sync();
    }
  }

  @Override
  public void close() {
    try (metrics) {
      if (events != null) {
        events.close();
      }
    }
  }
}
