package org.hirengine.engine.train;

import java.nio.file.Path;
import java.util.List;
import org.hirengine.engine.plan.MemoryPlan;
import org.hirengine.engine.runs.HeldOut;
import org.hirengine.engine.runs.StepMetrics;
import org.hirengine.replay.Coverage;

/** Several listeners as one. */
record Listeners(List<TrainingListener> all) implements TrainingListener {

  @Override
  public void planned(MemoryPlan plan) {
    all.forEach(listener -> listener.planned(plan));
  }

  @Override
  public void data(Coverage coverage) {
    all.forEach(listener -> listener.data(coverage));
  }

  @Override
  public void started(int step, int steps) {
    all.forEach(listener -> listener.started(step, steps));
  }

  @Override
  public void progress(String part, long done, long of) {
    all.forEach(listener -> listener.progress(part, done, of));
  }

  @Override
  public void step(StepMetrics metrics) {
    all.forEach(listener -> listener.step(metrics));
  }

  @Override
  public void evaluated(int step, HeldOut measured) {
    all.forEach(listener -> listener.evaluated(step, measured));
  }

  @Override
  public void warning(String message) {
    all.forEach(listener -> listener.warning(message));
  }

  @Override
  public void checkpoint(int step, Path folder) {
    all.forEach(listener -> listener.checkpoint(step, folder));
  }
}
