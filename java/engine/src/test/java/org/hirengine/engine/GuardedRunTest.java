package org.hirengine.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.runs.Metric;
import org.hirengine.engine.runs.StepMetrics;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.train.TrainingListener;
import org.hirengine.engine.train.TrainingStoppedException;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.KernelException;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.QType;
import org.hirengine.verify.ConstraintSpec;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The guards in real runs, each of which goes wrong in the way that its guard detects. */
class GuardedRunTest {

  @TempDir Path temp;
  private TinyWorld world;

  @BeforeEach
  void world() throws IOException {
    world = new TinyWorld(temp);
  }

  private record Told(List<StepMetrics> steps, List<String> warnings) {

    TrainingListener listener() {
      return new TrainingListener() {
        @Override
        public void step(StepMetrics metrics) {
          steps.add(metrics);
        }

        @Override
        public void warning(String message) {
          warnings.add(message);
        }
      };
    }

    double last(Metric metric) {
      return steps.get(steps.size() - 1).get(metric).orElseThrow();
    }
  }

  private Told run(List<Instruction> instructions, String... settings) throws IOException {
    return run(new TrainingListener() {}, instructions, settings);
  }

  private Told run(TrainingListener more, List<Instruction> instructions, String... settings)
      throws IOException {
    List<String> all = new ArrayList<>(List.of("algorithm=rl-cla", "data.eval=null"));
    all.addAll(List.of(settings));
    TrainConfig config = world.config("run", all.toArray(String[]::new));
    Told told = new Told(new ArrayList<>(), new ArrayList<>());
    try (HirTrainer trainer =
        HirTrainer.builder()
            .config(config)
            .instructions(instructions)
            .listener(TrainingListener.all(List.of(told.listener(), more)))
            .build()) {
      trainer.run();
    }
    return told;
  }

  /** The guard's metric is 1 in the log, and its line is printed once, not with every step. */
  private void assertRaised(Told told, Metric alarm, String line) throws IOException {
    assertEquals(1, told.last(alarm));
    List<String> logged = Files.readAllLines(temp.resolve("run/metrics.jsonl"));
    JsonNode last = new ObjectMapper().readTree(logged.get(logged.size() - 1));
    assertEquals(1, last.at("/" + alarm.key().replace('.', '/')).asDouble(), last.toString());
    assertEquals(
        1, told.warnings.stream().filter(w -> w.contains(line)).count(), told.warnings::toString);
  }

  /** Real causes: a learning rate far too high, a limit far too low. */
  @ParameterizedTest
  @CsvSource({
    "ALARM_ENTROPY, guards.min_entropy, train.steps=12 optim.lr=1 optim.clip=null",
    "ALARM_KL, guards.max_kl, train.steps=12 optim.lr=0.3",
    "ALARM_TRUNCATION, guards.max_truncated, limits.response=2",
  })
  void whatGoesWrongRaisesItsAlarm(Metric alarm, String guard, String settings) throws IOException {
    Told told = run(TinyWorld.instructions(1, 8), settings.split(" "));
    assertRaised(told, alarm, guard + " is ");
    Told healthy =
        run(
            TinyWorld.instructions(1, 8),
            "out=" + temp.resolve("healthy"),
            "guards.max_truncated=1");
    assertEquals(0, healthy.last(alarm));
    assertEquals(List.of(), healthy.warnings);
  }

  /**
   * Decoding and scoring agree bit for bit in both types; with LibTorch's operators they do not.
   */
  @ParameterizedTest
  @ValueSource(strings = {"float32", "bfloat16"})
  void mismatchOfDecodingAndScoring(String dtype) throws IOException {
    Told told = run(TinyWorld.instructions(1, 8), "guards.max_mismatch=0", "dtype=" + dtype);
    if (NativeRuntime.kernels(Device.Kind.CPU).name().startsWith("avx")) {
      StepMetrics first = told.steps.get(0);
      assertEquals(0, first.get(Metric.LOGPROB_MISMATCH).orElseThrow());
      assertEquals(0, first.get(Metric.LOGPROB_MISMATCH_MAX).orElseThrow());
    } else {
      assertRaised(told, Metric.ALARM_MISMATCH, "guards.max_mismatch is ");
    }
  }

  /**
   * For a keyword that is no regular expression, the reference raises an error, and our verdict is
   * "failed".
   */
  @Test
  void verifiersThatFail() throws IOException {
    Instruction broken =
        Instruction.of(
            "broken",
            "write about river",
            List.of("no comma", "use the sun"),
            QType.TYPE1,
            "ifeval",
            List.of(
                new ConstraintSpec("ifeval", "punctuation:no_comma", Map.of()),
                new ConstraintSpec(
                    "ifeval", "keywords:existence", Map.of("keywords", List.of("(a")))));
    Told told = run(List.of(broken));
    assertEquals(0.5, told.last(Metric.VERIFIER_FAILURES), 1e-12);
    assertRaised(told, Metric.ALARM_VERIFIER, "guards.max_verifier_failures is ");
    assertTrue(
        told.warnings.stream().anyMatch(w -> w.contains("{ifeval/keywords:existence=")),
        told.warnings::toString);
  }

  /** Memory that runs out once in a part of the second step, in the midst of its rows. */
  private static TrainingListener shortOfMemory(String part) {
    return new TrainingListener() {
      private int steps;
      private boolean thrown;

      @Override
      public void progress(String advanced, long done, long of) {
        if (steps == 1 && !thrown && advanced.equals(part)) {
          thrown = true;
          throw new KernelException(
              KernelException.Reason.NO_MEMORY, "out of memory, says the test");
        }
      }

      @Override
      public void step(StepMetrics metrics) {
        steps++;
      }
    };
  }

  /** The run goes on as it would have, the step counts the retry, and one line names the remedy. */
  @ParameterizedTest
  @ValueSource(strings = {"rollout", "update"})
  void memoryThatRunsOutOnceIsCountedAndTold(String part) throws IOException {
    String[] settings = {"train.steps=3", "train.micro_tokens=200", "guards.max_truncated=1"};
    List<Instruction> instructions = TinyWorld.instructions(1, 8);
    Told undisturbed = run(instructions, settings);
    assertEquals(List.of(), undisturbed.warnings);
    String[] other = Arrays.copyOf(settings, settings.length + 1);
    other[settings.length] = "out=" + temp.resolve("short");
    Told told = run(shortOfMemory(part), instructions, other);
    assertEquals(3, told.steps.size());
    for (int i = 0; i < 3; i++) {
      StepMetrics step = told.steps.get(i);
      assertEquals(
          i == 1 ? OptionalDouble.of(1) : OptionalDouble.empty(), step.get(Metric.MEMORY_RETRIES));
      for (Metric metric : List.of(Metric.LOSS, Metric.GRAD_NORM, Metric.CLA)) {
        double want = undisturbed.steps.get(i).get(metric).orElseThrow();
        assertEquals(want, step.get(metric).orElseThrow(), 1e-5 * Math.max(1, want), metric.key());
      }
    }
    assertEquals(1, told.warnings.size(), told.warnings::toString);
    String line = told.warnings.get(0);
    assertTrue(line.startsWith("step 2: memory was out; half as much at once did"), line);
    assertTrue(line.contains("hir plan"), line);
  }

  /** Weights that overflow end the run with one line, not with rows of NaN. */
  @Test
  void weightsThatOverflowEndTheRun() throws IOException {
    TrainingStoppedException stopped =
        assertThrows(
            TrainingStoppedException.class,
            () ->
                run(
                    TinyWorld.instructions(1, 8),
                    "train.steps=20",
                    "optim.lr=10",
                    "optim.weight_decay=10",
                    "optim.clip=null"));
    assertTrue(
        stopped
            .getMessage()
            .matches(
                "step \\d+: the policy gives no finite logits.*|.*3 "
                    + "updates in a row were not finite.*"),
        stopped.getMessage());
    assertTrue(stopped.remedy().contains("optim.lr"));
    for (String line : Files.readAllLines(temp.resolve("run/metrics.jsonl"))) {
      assertFalse(line.contains("\"cla\":NaN"), line);
    }
  }
}
