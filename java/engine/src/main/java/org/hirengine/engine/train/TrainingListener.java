package org.hirengine.engine.train;

import java.nio.file.Path;
import java.util.List;
import org.hirengine.engine.runs.StepMetrics;
import org.hirengine.engine.runs.Summary.Accuracy;
import org.hirengine.replay.Coverage;

/**
 * Told what a training run does, on the thread that runs it, between its steps (but for {@link
 * #progress}). An exception thrown here ends the run.
 */
public interface TrainingListener {

  /** The training data is read; told before the run begins. */
  default void data(Coverage coverage) {}

  /**
   * The run begins, or goes on.
   *
   * @param step steps taken already
   * @param steps steps the run takes in all, unless {@code train.max_rollouts} ends it before
   */
  default void started(int step, int steps) {}

  /**
   * The step or evaluation under way has come further. Told often, and on the native thread too:
   * what takes long here holds up the run.
   *
   * @param part what is under way: {@code rollout}, {@code log-probs} or {@code update}
   * @param done responses that it is done with
   * @param of responses that there are
   */
  default void progress(String part, long done, long of) {}

  /** A step is done; its metrics stand in the run folder. */
  default void step(StepMetrics metrics) {}

  /**
   * Held-out prompts were evaluated.
   *
   * @param step steps taken so far; 0 is before training
   */
  default void evaluated(int step, Accuracy accuracy) {}

  /** Something to know about: an alarm, a skipped update, data left out. */
  default void warning(String message) {}

  /** A checkpoint is whole. */
  default void checkpoint(int step, Path folder) {}

  /** Several listeners as one, told in their order. */
  static TrainingListener all(List<TrainingListener> listeners) {
    return new Listeners(List.copyOf(listeners));
  }
}
