package org.hirengine.engine.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.hirengine.engine.HirTrainer;
import org.hirengine.engine.TinyWorld;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.runs.StepMetrics;
import org.hirengine.replay.DropRewriter;
import org.hirengine.replay.Rewriter;

/**
 * A process that trains in the world of its first argument until its third ends it: {@code step}
 * (SIGKILL during step 4), {@code checkpoint} (SIGKILL while the checkpoint of step 4 is written)
 * or {@code terminate} (SIGTERM from step 3 on).
 */
final class ResumeTestChild {

  private ResumeTestChild() {}

  static TrainConfig config(TinyWorld world, String out) {
    return world.config(out, "train.steps=6", "checkpoint.every=2", "algorithm=hir");
  }

  public static void main(String[] args) throws Exception {
    TinyWorld world = TinyWorld.existing(Path.of(args[0]));
    String doom = args[2];
    TrainConfig config =
        doom.equals("terminate")
            ? world.config(args[1], "train.steps=100000", "checkpoint.every=0", "data.eval=null")
            : config(world, args[1]);
    if (doom.equals("checkpoint")) {
      Path aside = config.out().resolve("checkpoints/.tmp-step-4");
      daemon(
          () -> {
            while (!Files.exists(aside)) {
              Thread.onSpinWait();
            }
            signal("KILL");
          });
    }
    AtomicInteger steps = new AtomicInteger();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void step(StepMetrics metrics) {
            steps.set(metrics.step());
            if (metrics.step() == 3 && doom.equals("terminate")) {
              daemon(() -> signal("TERM"));
            }
          }
        };
    Rewriter rewriter =
        (instruction, response, judges, peers, random) -> {
          if (steps.get() == 3 && doom.equals("step")) {
            signal("KILL");
          }
          return new DropRewriter().rewrite(instruction, response, judges, peers, random);
        };
    try (HirTrainer trainer =
        HirTrainer.builder().config(config).rewriter(rewriter).listener(listener).build()) {
      trainer.run();
    }
  }

  private static void daemon(Runnable task) {
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    thread.start();
  }

  private static void signal(String name) {
    String pid = Long.toString(ProcessHandle.current().pid());
    try {
      new ProcessBuilder("kill", "-" + name, pid).start().waitFor();
      if (name.equals("KILL")) {
        Thread.sleep(60_000); // this thread must not go on before the signal arrives
      }
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
