package org.hirengine.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.hirengine.engine.config.SftConfig;
import org.hirengine.engine.runs.StepMetrics;
import org.hirengine.engine.runs.Summary;
import org.hirengine.engine.train.SftTrainer;
import org.hirengine.engine.train.TrainingListener;
import org.hirengine.replay.DropRewriter;
import org.hirengine.replay.Rewriter;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Trainers on the threads of another program's pool: interrupted, stopped and closed from outside.
 */
class InterruptTest {

  private static final String[] LONG = {
    "train.steps=100000", "checkpoint.every=0", "data.eval=null"
  };

  @TempDir Path temp;
  private TinyWorld world;

  @BeforeEach
  void world() throws IOException {
    world = new TinyWorld(temp);
  }

  /** Signals the end of step 2. */
  private static TrainingListener second(CountDownLatch done) {
    return new TrainingListener() {
      @Override
      public void step(StepMetrics metrics) {
        if (metrics.step() == 2) {
          done.countDown();
        }
      }
    };
  }

  private HirTrainer open(String out, TrainingListener listener) throws IOException {
    return HirTrainer.builder().config(world.config(out, LONG)).listener(listener).build();
  }

  private void assertSaved(String out, int step) throws IOException {
    Path run = temp.resolve(out);
    assertTrue(Files.exists(run.resolve("checkpoints/step-" + step + "/trainer.json")));
    assertEquals(step, Runs.metrics(run).size());
    assertTrue(Files.exists(run.resolve("rollouts/step-" + step + ".jsonl")));
    try (HirTrainer again = Runs.open(world.config(out, LONG))) {
      assertEquals(step, again.steps());
      assertEquals(step + 1, again.step().step());
    }
  }

  @Test
  void anInterruptedPoolEndsTheRunWithACheckpoint() throws Exception {
    CountDownLatch second = new CountDownLatch(1);
    ExecutorService pool = Executors.newSingleThreadExecutor();
    List<Boolean> interrupted = new ArrayList<>();
    Future<Summary> run =
        pool.submit(
            () -> {
              try (HirTrainer trainer = open("run", second(second))) {
                Summary summary = trainer.run();
                interrupted.add(Thread.currentThread().isInterrupted());
                return summary;
              }
            });
    assertTrue(second.await(60, TimeUnit.SECONDS));
    pool.shutdownNow();
    Summary summary = run.get(60, TimeUnit.SECONDS);
    assertEquals(List.of(true), interrupted);
    assertTrue(summary.steps() >= 2 && summary.steps() < 100_000, summary.toString());
    assertEquals(summary, Summary.read(temp.resolve("run/summary.json")));
    assertSaved("run", summary.steps());
  }

  /** A thread that is already interrupted still writes all of a run's files. */
  @Test
  void anInterruptDuringTheStepLosesNothingOfIt() throws Exception {
    TrainingListener interrupts =
        new TrainingListener() {
          @Override
          public void started(int step, int steps) {
            Thread.currentThread().interrupt();
          }
        };
    try (HirTrainer trainer = open("run", interrupts)) {
      assertEquals(0, trainer.run().steps());
      assertTrue(Thread.interrupted());
      assertTrue(Files.exists(temp.resolve("run/checkpoints/step-0/trainer.json")));
    }
    Thread training = Thread.currentThread();
    Rewriter interrupting =
        (instruction, response, judges, peers, random) -> {
          training.interrupt(); // before the dump, the metrics and the checkpoint
          return new DropRewriter().rewrite(instruction, response, judges, peers, random);
        };
    try (HirTrainer trainer =
        HirTrainer.builder()
            .config(world.config("judged", "verify.threads=1", LONG[0], LONG[1], LONG[2]))
            .rewriter(interrupting)
            .build()) {
      Thread.currentThread().interrupt();
      assertTrue(trainer.finished());
      assertThrows(CancellationException.class, trainer::step);
      assertTrue(Thread.interrupted());
      assertFalse(trainer.finished());
      trainer.step();
      assertTrue(trainer.finished());
      assertTrue(Thread.interrupted());
    }
    assertSaved("judged", 1);
  }

  @Test
  void anInterruptedThreadOpensAndSavesARun() throws IOException {
    Thread.currentThread().interrupt();
    try (HirTrainer trainer = open("run", new TrainingListener() {})) {
      trainer.save();
    } finally {
      assertTrue(Thread.interrupted());
    }
    assertTrue(Files.exists(temp.resolve("run/checkpoints/step-0/trainer.json")));
  }

  @Test
  void aLoopOverStepsHonoursARequestToStop() throws Exception {
    CountDownLatch second = new CountDownLatch(1);
    ExecutorService pool = Executors.newSingleThreadExecutor();
    try (HirTrainer trainer = open("run", second(second))) {
      Future<Integer> loop =
          pool.submit(
              () -> {
                while (!trainer.finished()) {
                  trainer.step();
                }
                return trainer.steps();
              });
      assertTrue(second.await(60, TimeUnit.SECONDS));
      trainer.requestStop();
      int steps = loop.get(60, TimeUnit.SECONDS);
      assertThrows(CancellationException.class, trainer::step);
      trainer.save();
      assertTrue(steps >= 2);
    } finally {
      pool.shutdown();
    }
  }

  @Test
  void closingWaitsForTheRunUnderWay() throws Exception {
    CountDownLatch second = new CountDownLatch(1);
    ExecutorService pool = Executors.newSingleThreadExecutor();
    try {
      HirTrainer trainer = open("run", second(second));
      Future<Summary> run = pool.submit(trainer::run);
      assertTrue(second.await(60, TimeUnit.SECONDS));
      trainer.close();
      Summary summary = run.get(60, TimeUnit.SECONDS);
      assertTrue(summary.steps() >= 2);
      assertThrows(IllegalStateException.class, trainer::save);
      trainer.close();
      assertSaved("run", summary.steps());
    } finally {
      pool.shutdown();
    }
  }

  @Test
  void aListenerCannotCloseItsTrainer() throws IOException {
    List<HirTrainer> trainers = new ArrayList<>();
    TrainingListener closes =
        new TrainingListener() {
          @Override
          public void step(StepMetrics metrics) {
            trainers.get(0).close();
          }
        };
    try (HirTrainer trainer = open("run", closes)) {
      trainers.add(trainer);
      IllegalStateException e = assertThrows(IllegalStateException.class, trainer::step);
      assertTrue(e.getMessage().contains("requestStop"), e.getMessage());
    }
  }

  @Test
  void supervisedTrainingStopsAndClosesAlike() throws Exception {
    Files.writeString(
        temp.resolve("pairs.jsonl"), "{\"prompt\": \"write\", \"response\": \"a song\"}\n");
    SftConfig config =
        SftConfig.of(
            List.of(
                "model=" + world.model(),
                "data=" + temp.resolve("pairs.jsonl"),
                "out=" + temp.resolve("sft"),
                "threads=1",
                "batch=2",
                "steps=1000000"));
    try (SftTrainer trainer = SftTrainer.open(config)) {
      trainer.run(progress -> Thread.currentThread().interrupt());
      assertTrue(Thread.interrupted());
      assertTrue(Files.exists(temp.resolve("sft/model.safetensors")));
      assertTrue(Files.exists(temp.resolve("sft/tokenizer.json")));
    }
    ExecutorService pool = Executors.newSingleThreadExecutor();
    CountDownLatch begun = new CountDownLatch(1);
    SftTrainer trainer = SftTrainer.open(config);
    Future<Boolean> run =
        pool.submit(
            () -> {
              trainer.run(progress -> begun.countDown());
              return true;
            });
    assertTrue(begun.await(60, TimeUnit.SECONDS));
    trainer.close();
    assertTrue(run.get(60, TimeUnit.SECONDS));
    assertThrows(IllegalStateException.class, trainer::step);
    pool.shutdown();
  }
}
