package org.hirengine.engine.runs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MetricsLogTest {

  @TempDir Path temp;
  private Path file;

  @BeforeEach
  void name() {
    file = temp.resolve("metrics.jsonl");
  }

  @Test
  void aLineIsPlainJsonWithNestedGroups() throws IOException {
    StepMetrics metrics =
        new StepMetrics(7)
            .set(Metric.SECONDS_UPDATE, 0.25)
            .set(Metric.EVAL_ILA, 0.125)
            .set(Metric.EVAL_CLA, 0.5)
            .set(Metric.ILA, 1.0 / 3)
            .set(Metric.GRAD_NORM, Double.NaN)
            .set(Metric.LOSS, Double.NEGATIVE_INFINITY)
            .satisfied("ifeval/keywords:existence", 0.75);
    assertEquals(
        "{\"step\":7,\"ila\":0.3333333333333333,\"grad_norm\":\"nan\",\"loss\":\"-inf\","
            + "\"eval\":{\"ila\":0.125,\"cla\":0.5},\"seconds\":{\"update\":0.25},"
            + "\"satisfied\":{\"ifeval/keywords:existence\":0.75}}",
        metrics.toJson());
  }

  @Test
  void everyValueComesBackBitForBit() {
    Random random = new Random(4);
    double[] nasty = {0, -0.0, Double.MIN_VALUE, Double.MAX_VALUE, Double.NaN, 1 / 0.0, -1 / 0.0};
    try (MetricsLog log = MetricsLog.open(file)) {
      for (int step = 1; step <= 50; step++) {
        log.append(randomStep(random, step, nasty));
      }
    }
    List<StepMetrics> read = MetricsLog.read(file);
    Random again = new Random(4);
    assertEquals(50, read.size());
    for (int step = 1; step <= 50; step++) {
      StepMetrics expected = randomStep(again, step, nasty);
      assertEquals(step, read.get(step - 1).step());
      assertEquals(expected.values(), read.get(step - 1).values());
      assertEquals(expected.satisfied(), read.get(step - 1).satisfied());
    }
  }

  private static StepMetrics randomStep(Random random, int step, double[] nasty) {
    StepMetrics metrics = new StepMetrics(step);
    for (Metric metric : Metric.values()) {
      int kind = random.nextInt(nasty.length + 3);
      if (kind > 0) {
        metrics.set(metric, kind <= nasty.length ? nasty[kind - 1] : random.nextGaussian());
      }
    }
    return metrics.satisfied("x/\"quoted\"\n" + random.nextInt(3), random.nextDouble());
  }

  @Test
  void aTornLastLineIsPassedOverAndCutOff() throws IOException {
    String whole = new StepMetrics(1).set(Metric.ILA, 0.5).toJson() + "\n";
    String next = new StepMetrics(2).set(Metric.ILA, 0.75).toJson() + "\n";
    for (int kept = 0; kept < next.length(); kept++) {
      Files.writeString(file, whole + next.substring(0, kept));
      assertEquals(1, MetricsLog.read(file).size(), "torn after " + kept);
      try (MetricsLog log = MetricsLog.open(file)) {
        log.append(new StepMetrics(2).set(Metric.ILA, 0.75));
      }
      assertEquals(whole + next, Files.readString(file));
    }
    Files.writeString(file, whole + "\0\0\0\0\n");
    assertEquals(1, MetricsLog.read(file).size());
  }

  @Test
  void aBrokenLineInTheMiddleIsAnError() throws IOException {
    Files.writeString(file, "{\"step\":1}\n{\"step\":\n{\"step\":3}\n");
    RunException e = assertThrows(RunException.class, () -> MetricsLog.read(file));
    assertTrue(e.getMessage().startsWith(file + ":2 is not a step's metrics"), e.getMessage());
    assertThrows(RunException.class, () -> MetricsLog.open(file));
    Files.writeString(file, "{\"step\":1}\n{\"loss\":1}\n{\"step\":3}\n");
    e = assertThrows(RunException.class, () -> MetricsLog.read(file));
    assertTrue(e.getMessage().contains(":2") && e.getMessage().contains("'step'"), "" + e);
    Files.writeString(file, "{\"step\":2}\n{\"step\":2}\n");
    e = assertThrows(RunException.class, () -> MetricsLog.read(file));
    assertTrue(e.getMessage().contains("does not come after"), e.getMessage());
  }

  @Test
  void resumingDropsStepsThatAreTakenAgain() throws IOException {
    try (MetricsLog log = MetricsLog.open(file)) {
      for (int step = 1; step <= 9; step++) {
        log.append(new StepMetrics(step));
      }
    }
    Files.writeString(file, "{\"step\":10", StandardOpenOption.APPEND);
    try (MetricsLog log = MetricsLog.open(file)) {
      log.truncateAfter(6);
      assertThrows(IllegalArgumentException.class, () -> log.append(new StepMetrics(6)));
      log.append(new StepMetrics(7).set(Metric.LOSS, 1));
    }
    List<StepMetrics> steps = MetricsLog.read(file);
    assertEquals(List.of(1, 2, 3, 4, 5, 6, 7), steps.stream().map(StepMetrics::step).toList());
    assertEquals(1, steps.get(6).get(Metric.LOSS).orElseThrow());
    try (MetricsLog log = MetricsLog.open(file)) {
      log.truncateAfter(0);
      log.append(new StepMetrics(1));
    }
    assertEquals("{\"step\":1}\n", Files.readString(file));
  }

  @Test
  void anAbsentFileHasNoSteps() {
    assertEquals(List.of(), MetricsLog.read(temp.resolve("absent")));
  }

  @Test
  void allFieldsOfTheContractExistAndOnlyTimesAreNotCompared() {
    Set<String> keys = new HashSet<>(Metric.byKey().keySet());
    List<String> contract =
        List.of(
            "ila",
            "cla",
            "reward",
            "reward_std",
            "kl",
            "entropy",
            "clip_fraction",
            "replay_clip_fraction",
            "grad_norm",
            "loss",
            "replayed",
            "replay_cla",
            "lambda",
            "logprob_mismatch",
            "rollouts",
            "skipped_rows",
            "below_floor",
            "eval.ila",
            "eval.cla",
            "tokens_per_s",
            "seconds.rollout",
            "seconds.verify",
            "seconds.logprob",
            "seconds.update");
    assertTrue(keys.containsAll(contract));
    assertEquals(Metric.values().length, keys.size());
    for (Metric metric : Metric.values()) {
      boolean measured =
          metric.key().startsWith("seconds.")
              || metric == Metric.TOKENS_PER_S
              || metric == Metric.CPU_SECONDS
              || metric == Metric.MEMORY
              || metric == Metric.MEMORY_RETRIES
              || metric == Metric.PREEMPTED_ROWS
              || metric == Metric.RECOMPUTED_TOKENS;
      assertEquals(!measured, metric.compared(), metric.key());
      assertEquals(metric.key(), metric.key().toLowerCase(Locale.ROOT));
      assertTrue(metric.description().endsWith("."), metric.key());
    }
  }

  /** Fields of a group are adjacent; otherwise a line would have the group twice. */
  @Test
  void aLineWithAllFieldsHasNoDuplicates() throws IOException {
    StepMetrics all = new StepMetrics(1);
    for (Metric metric : Metric.values()) {
      all.set(metric, metric.ordinal());
    }
    JsonNode line =
        new ObjectMapper()
            .enable(com.fasterxml.jackson.core.JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .readTree(all.toJson());
    for (Metric metric : Metric.values()) {
      JsonNode value = line;
      for (String part : metric.key().split("\\.", -1)) {
        value = value.path(part);
      }
      assertEquals(metric.ordinal(), value.doubleValue(), metric.key());
    }
  }

  @Test
  void theDocumentationListsEveryField() throws IOException {
    Path page = Path.of(System.getProperty("hir.root"), "java/engine/METRICS.md");
    assertTrue(
        Files.readString(page).endsWith(Metric.table()),
        () -> page + " is out of date; its table should be:\n" + Metric.table());
  }
}
