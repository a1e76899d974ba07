package org.hirengine.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.plan.MemoryPlan;
import org.hirengine.engine.runs.HeldOut;
import org.hirengine.engine.runs.Metric;
import org.hirengine.engine.runs.StepMetrics;
import org.hirengine.engine.train.TrainingListener;
import org.hirengine.replay.Coverage;
import org.jspecify.annotations.Nullable;

/**
 * Shows a training run on the console: progress bar, evaluations, warnings, and how it was stopped.
 */
final class TrainConsole implements TrainingListener, AutoCloseable {

  private final TrainConfig config;
  private final PrintWriter err;
  private final Thread stopNotice;
  private volatile boolean stopping;
  private volatile @Nullable ProgressLine progress;

  TrainConsole(TrainConfig config, PrintWriter err) {
    this.config = config;
    this.err = err;
    stopNotice =
        new Thread(
            () -> {
              stopping = true;
              say("stopping: finishing and saving the current step first");
            });
    Runtime.getRuntime().addShutdownHook(stopNotice);
  }

  @Override
  public void planned(MemoryPlan plan) {
    plan.table().forEach(this::say);
  }

  @Override
  public void data(Coverage coverage) {
    coverage.lines().forEach(this::say);
  }

  @Override
  public void started(int step, int steps) {
    say(
        String.format(
            Locale.ROOT,
            "%s: %s, %d prompts x %d, seed %d, into %s",
            step == 0 ? "training" : "continuing after step " + step,
            config.algorithmName(),
            config.train().prompts(),
            config.train().group(),
            config.train().seed(),
            config.out()));
    progress = ProgressLine.of("train", step, expectedSteps(steps), err);
  }

  /** The rollout budget may end the run before its steps do. */
  private long expectedSteps(int steps) {
    Long rollouts = config.train().maxRollouts();
    if (rollouts == null) {
      return steps;
    }
    long perStep = (long) config.train().prompts() * config.samplesPerPrompt();
    return Math.min(steps, Math.max(1, rollouts / perStep));
  }

  @Override
  public void progress(String part, long done, long of) {
    if (progress != null) {
      progress.within(part, done, of);
    }
  }

  @Override
  public void step(StepMetrics metrics) {
    if (progress != null) {
      progress.to(metrics.step(), state(metrics));
    }
  }

  /** The most important figure first: where there is no room, the last ones are left out. */
  private static String[] state(StepMetrics m) {
    return new String[] {
      figure("ila %.1f%%", 100, m.get(Metric.ILA)),
      figure("cla %.1f%%", 100, m.get(Metric.CLA)),
      figure("reward %.3f", 1, m.get(Metric.REWARD)),
      figure("kl %.3f", 1, m.get(Metric.KL)),
      figure("entropy %.3f", 1, m.get(Metric.ENTROPY)),
      figure("clip %.3f", 1, m.get(Metric.CLIP_FRACTION)),
      figure("%.0f tok/s", 1, m.get(Metric.TOKENS_PER_S)),
      figure("%.1f GiB", 1, m.get(Metric.MEMORY))
    };
  }

  private static String figure(String format, double scale, OptionalDouble value) {
    return value.isEmpty() ? "" : String.format(Locale.ROOT, format, scale * value.getAsDouble());
  }

  @Override
  public void evaluated(int step, HeldOut measured) {
    List<String> figures =
        Stream.of(
                figure("ILA %.1f %%", 100, measured.get(Metric.EVAL_ILA)),
                figure("of sound answers %.1f %%", 100, measured.get(Metric.EVAL_SOUND_ILA)),
                figure("CLA %.1f %%", 100, measured.get(Metric.EVAL_CLA)),
                figure("probes answered %.0f %%", 100, measured.get(Metric.EVAL_PROBES_ANSWERED)))
            .filter(figure -> !figure.isEmpty())
            .toList();
    say("held-out after step " + step + ": " + String.join(", ", figures));
  }

  @Override
  public void warning(String message) {
    say("warning: " + message);
  }

  @Override
  public void checkpoint(int step, Path folder) {
    if (stopping) {
      say("saved " + folder + "; continue with --resume");
    }
  }

  private void say(String line) {
    ProgressLine shown = progress;
    if (shown != null) {
      shown.say(line);
    } else {
      err.println(line);
      err.flush();
    }
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(stopNotice);
    } catch (IllegalStateException ending) {
      // the process is ending: the notice was shown
    }
    if (progress != null) {
      progress.close();
    }
  }
}
