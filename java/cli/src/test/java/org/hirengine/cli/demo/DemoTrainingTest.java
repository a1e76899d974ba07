package org.hirengine.cli.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.hirengine.engine.HirTrainer;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.runs.Metric;
import org.hirengine.engine.runs.StepMetrics;
import org.hirengine.engine.runs.Summary;
import org.hirengine.engine.train.TrainingListener;
import org.hirengine.replay.JsonLines;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A few steps of the demo as it ships. */
class DemoTrainingTest {

  private static final Path DEMO = Path.of(System.getProperty("hir.root"), "data", "demo");
  private static final List<String> SHORT =
      List.of("train.steps=3", "eval.prompts=64", "log.tensorboard=false", "threads=1");

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hir", "hir-achieve", "rl-ila", "rl-cla",
        "hir-med", "hir-achieve-med", "rl-ila-med", "rl-cla-med"
      })
  void everyConfigIsComplete(String name) {
    TrainConfig config = load(name);
    for (Path path :
        List.of(
            config.model().path(),
            config.data().train().path(),
            config.data().eval().path(),
            config.replay().sentences())) {
      assertTrue(Files.exists(path), path.toString());
    }
    assertEquals(7680, config.train().maxRollouts());
    assertEquals(96, config.train().prompts() * config.samplesPerPrompt(), "rollouts a step");
    assertEquals(
        name.replace("-med", ""),
        config.algorithm().name().toLowerCase(Locale.ROOT).replace('_', '-'));
  }

  @Test
  void achievedGoalsAreReplayed() throws IOException {
    List<StepMetrics> steps = new ArrayList<>();
    Summary summary;
    try (HirTrainer trainer =
        HirTrainer.builder().config(load("hir-achieve")).listener(listener(steps)).build()) {
      summary = trainer.run();
    }
    assertEquals(3, summary.steps());
    assertEquals(3 * 96, summary.rollouts());
    assertTrue(summary.before().ila() < 0.1, "base ILA " + summary.before());
    assertTrue(summary.before().cla() > 0.25 && summary.before().cla() < 0.6, "" + summary);
    for (StepMetrics step : steps) {
      double replayed = step.get(Metric.REPLAYED).orElseThrow();
      assertTrue(replayed > 24 && replayed <= 96, replayed + " replayed");
      assertTrue(step.get(Metric.GRAD_NORM).orElseThrow() > 0);
      assertTrue(step.get(Metric.LOGPROB_MISMATCH).orElse(0) < 1e-3);
      double entropy = step.get(Metric.ENTROPY).orElseThrow();
      assertTrue(entropy > 0.5 && entropy < 5, "entropy " + entropy);
    }
  }

  @Test
  void theSameSeedIsTheSameRun() throws IOException {
    String first = metrics("a", "1");
    assertEquals(first, metrics("b", "1"));
    assertNotEquals(first, metrics("c", "2"));
  }

  /** Lines of metrics.jsonl without times. */
  private String metrics(String run, String seed) throws IOException {
    TrainConfig config = load("hir", "train.seed=" + seed, "out=" + folder.resolve(run));
    try (HirTrainer trainer = HirTrainer.builder().config(config).build()) {
      trainer.run();
    }
    StringBuilder lines = new StringBuilder();
    for (String line : Files.readAllLines(folder.resolve(run).resolve("metrics.jsonl"))) {
      ObjectNode step = (ObjectNode) JsonLines.MAPPER.readTree(line);
      step.remove(List.of("tokens_per_s", "memory_gib", "cpu_seconds", "seconds"));
      lines.append(step).append('\n');
    }
    assertEquals(3, lines.toString().lines().count());
    return lines.toString();
  }

  private TrainConfig load(String name, String... overrides) {
    List<String> settings = new ArrayList<>(SHORT);
    settings.add("out=" + folder.resolve("run"));
    settings.addAll(List.of(overrides));
    return TrainConfig.load(DEMO.resolve(name + ".yaml"), settings);
  }

  private static TrainingListener listener(List<StepMetrics> steps) {
    return new TrainingListener() {
      @Override
      public void step(StepMetrics metrics) {
        steps.add(metrics);
      }
    };
  }
}
