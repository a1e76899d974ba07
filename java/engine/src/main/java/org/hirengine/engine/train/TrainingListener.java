package org.hirengine.engine.train;

import java.nio.file.Path;
import java.util.List;
import org.hirengine.engine.plan.MemoryPlan;
import org.hirengine.engine.runs.HeldOut;
import org.hirengine.engine.runs.StepMetrics;
import org.hirengine.replay.Coverage;

/**
 * Receives training events, on the thread that runs the training and between its steps (except
 * {@link #progress}). An exception thrown by a listener ends the run.
 */
public interface TrainingListener {

  /** What memory the run needs at most; called before the run starts. */
  default void planned(MemoryPlan plan) {}

  /** The training data has been read; called before the run starts. */
  default void data(Coverage coverage) {}

  /**
   * The run starts or resumes.
   *
   * @param step steps taken already
   * @param steps steps the run takes in all, unless {@code train.max_rollouts} ends it before
   */
  default void started(int step, int steps) {}

  /**
   * The current step or evaluation has advanced. Called often, also on the native thread: slow code
   * here slows the run down.
   *
   * @param part the current part: {@code rollout}, {@code log-probs} or {@code update}
   * @param done responses done so far
   * @param of responses in all
   */
  default void progress(String part, long done, long of) {}

  /** A step is done; its metrics are in the run folder. */
  default void step(StepMetrics metrics) {}

  /**
   * Held-out prompts were evaluated.
   *
   * @param step steps taken so far; 0 is before training
   */
  default void evaluated(int step, HeldOut measured) {}

  /** Something that deserves attention: an alarm, a skipped update, data left out. */
  default void warning(String message) {}

  /** A checkpoint is complete. */
  default void checkpoint(int step, Path folder) {}

  /** Several listeners as one, called in order. */
  static TrainingListener all(List<TrainingListener> listeners) {
    return new Listeners(List.copyOf(listeners));
  }
}
