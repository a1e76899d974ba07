package org.hirengine.engine.distributed;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.hirengine.engine.HirTrainer;
import org.hirengine.engine.TinyWorld;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.runs.RunFolder;
import org.hirengine.engine.runs.StepMetrics;
import org.hirengine.engine.train.TrainingListener;
import org.hirengine.kernels.Device;
import org.hirengine.replay.DropRewriter;
import org.hirengine.replay.Rewriter;

/**
 * A rank, by its environment, that trains in the world of its first argument into the run of its
 * second. With the third, {@code WHAT:RANK:MOMENT}, that rank comes to a bad end at its so-manieth
 * sign of progress: {@code KILL} and {@code STOP} are signals, {@code exit} ends the process
 * orderly, {@code throw} is an exception in a rewriter; {@code absent} never joins.
 */
final class RankTestChild {

  private RankTestChild() {}

  static TrainConfig config(TinyWorld world, String out, int steps, int parts, int timeout) {
    return world.config(
        out,
        "train.steps=" + steps,
        "checkpoint.every=2",
        "distributed.parts=" + parts,
        "distributed.timeout=" + timeout);
  }

  public static void main(String[] args) throws Exception {
    TinyWorld world = TinyWorld.existing(Path.of(args[0]));
    int timeout = Integer.parseInt(args[3]);
    int parts = Integer.parseInt(System.getenv("WORLD_SIZE"));
    TrainConfig config = config(world, args[1], Integer.parseInt(args[4]), parts, timeout);
    String[] doom = args[2].split(":");
    boolean doomed = doom.length > 1 && doom[1].equals(System.getenv("RANK"));
    int moment = doomed ? Integer.parseInt(doom[2]) : 0;
    if (doomed && doom[0].equals("absent")) {
      return;
    }
    AtomicInteger signs = new AtomicInteger();
    Runnable sign =
        () -> {
          if (doomed && signs.incrementAndGet() == moment) {
            end(doom[0]);
          }
        };
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void progress(String part, long done, long of) {
            sign.run();
          }

          @Override
          public void step(StepMetrics metrics) {
            sign.run();
          }
        };
    Rewriter rewriter =
        (instruction, response, judges, peers, random) -> {
          if (doomed && doom[0].equals("throw")) {
            throw new IllegalStateException("no rewriter today");
          }
          return new DropRewriter().rewrite(instruction, response, judges, peers, random);
        };
    int code = 0;
    try (ProcessGroup group =
            ProcessGroup.join(
                System.getenv(),
                new GroupOptions(Duration.ofSeconds(timeout), Device.Kind.CPU, 1));
        HirTrainer trainer =
            HirTrainer.builder()
                .config(config)
                .existing(RunFolder.Existing.RESUME)
                .rewriter(rewriter)
                .listener(listener)
                .distributed(group)
                .build()) {
      trainer.run();
    } catch (RuntimeException e) {
      if (!(e instanceof DistributedException told && told.toldByAnother())) {
        System.err.println("error: " + e.getMessage());
      }
      code = 1;
    }
    Runtime.getRuntime().halt(code);
  }

  private static void end(String how) {
    if (how.equals("exit")) {
      System.exit(0);
    }
    String pid = Long.toString(ProcessHandle.current().pid());
    try {
      new ProcessBuilder("kill", "-" + how, pid).start().waitFor();
      Thread.sleep(600_000); // the signal may be slow, this thread must not go on
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
