package org.hirengine.engine.diagnose;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.hirengine.engine.Runs;
import org.hirengine.engine.TinyWorld;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.runs.Metric;
import org.hirengine.engine.runs.MetricsLog;
import org.hirengine.engine.runs.RolloutDump;
import org.hirengine.engine.runs.RolloutRow;
import org.hirengine.engine.runs.RunException;
import org.hirengine.engine.runs.StepMetrics;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A dumped step can be repeated from the run folder alone. */
class StepAuditTest {

  @TempDir Path temp;
  private TinyWorld world;

  @BeforeEach
  void world() throws IOException {
    world = new TinyWorld(temp);
  }

  private TrainConfig trained(String... settings) throws IOException {
    List<String> all =
        new ArrayList<>(
            List.of(
                "train.steps=5", "checkpoint.every=3", "checkpoint.keep=9", "train.mini_batch=2"));
    all.addAll(List.of(settings));
    TrainConfig config = world.config("run", all.toArray(String[]::new));
    Runs.run(config);
    return config;
  }

  private Path dump(int step) {
    return temp.resolve("run/rollouts/step-" + step + ".jsonl");
  }

  /** From the initial model, from a checkpoint, and through later steps. */
  @ParameterizedTest
  @ValueSource(strings = {"hir", "hir-achieve"})
  void everyStepIsRepeatedBitForBit(String algorithm) throws IOException {
    TrainConfig config =
        trained("algorithm=" + algorithm, "optim.schedule=cosine", "train.micro_tokens=150");
    List<StepMetrics> logged = MetricsLog.read(temp.resolve("run/metrics.jsonl"));
    int[] carried = {0, 1, 2, 0, 1};
    for (StepMetrics step : logged) {
      StepAudit.Result result = StepAudit.run(config, dump(step.step()), null);
      assertEquals(carried[step.step() - 1], result.carried());
      assertEquals(step.get(Metric.LOSS).orElseThrow(), result.loss(), "step " + step.step());
      assertEquals(step.get(Metric.GRAD_NORM).orElseThrow(), result.gradientNorm());
      assertEquals(step.get(Metric.CLIP_FRACTION).orElseThrow(), result.clipFraction());
      assertEquals("", result.problem());
      for (StepAudit.Row row : result.rows()) {
        if (row.record().replay() == null) {
          assertTrue(row.maxGap() < 1e-4, () -> "scored under other weights: " + row.maxGap());
        }
        assertTrue(row.gradientNorm() > 0);
      }
    }
  }

  @Test
  void namesTheRowThatBreaksAnUpdate() throws IOException {
    TrainConfig config = trained();
    List<RolloutRow> rows = new ArrayList<>(RolloutDump.read(dump(1)));
    RolloutRow row = rows.get(3);
    double[] broken = row.advantages().clone();
    Arrays.fill(broken, Double.NaN);
    rows.set(3, withAdvantages(row, broken));
    RolloutDump.write(dump(1), 1, rows);
    StepAudit.Result result = StepAudit.run(config, dump(1), null);
    assertTrue(!result.problem().isEmpty());
    assertEquals(3, result.rows().get(0).record().index());
    assertTrue(Double.isNaN(result.rows().get(0).gradientNorm()));
    assertTrue(Double.isFinite(result.rows().get(1).gradientNorm()));
  }

  private static RolloutRow withAdvantages(RolloutRow r, double[] advantages) {
    return new RolloutRow(
        r.index(),
        r.promptId(),
        r.row(),
        r.purpose(),
        r.instruction(),
        r.replay(),
        r.prompt(),
        r.promptIds(),
        r.response(),
        r.responseIds(),
        r.finishReason(),
        r.rolloutLogprobs(),
        r.oldLogprobs(),
        r.refLogprobs(),
        r.judge(),
        r.reward(),
        advantages,
        r.entropy(),
        r.score());
  }

  @Test
  void weightsThatCannotBeReachedAreNamed() throws IOException {
    TrainConfig config = trained();
    Files.delete(dump(4));
    RunException e = assertThrows(RunException.class, () -> StepAudit.run(config, dump(5), null));
    assertTrue(e.getMessage().contains("no dump of step 4"), e.getMessage());
    assertTrue(e.remedy().contains("--model"), e.remedy());
    Path checkpoint = temp.resolve("run/checkpoints/step-3");
    StepAudit.Result result = StepAudit.run(config, dump(5), checkpoint);
    assertEquals(0, result.carried());
    assertEquals(checkpoint, result.weights());
    assertThrows(RunException.class, () -> StepAudit.run(config, temp.resolve("x.jsonl"), null));
  }
}
