package org.hirengine.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.runs.RunFolder;
import org.hirengine.engine.runs.Summary;

/** Runs trainers, and compares what they wrote. */
public final class Runs {

  private static final ObjectMapper JSON = new ObjectMapper();

  private Runs() {}

  /** Runs to the end, from the start or where an earlier run of the folder stopped. */
  public static Summary run(TrainConfig config) throws IOException {
    try (HirTrainer trainer = open(config)) {
      return trainer.run();
    }
  }

  /** Opens a new run, or resumes one of the same folder at its last checkpoint. */
  public static HirTrainer open(TrainConfig config) throws IOException {
    return HirTrainer.builder().config(config).existing(RunFolder.Existing.RESUME).build();
  }

  /** Takes some steps and stops; work since the last checkpoint is lost. */
  public static void leftAfter(int steps, TrainConfig config) throws IOException {
    try (HirTrainer trainer = open(config)) {
      for (int i = 0; i < steps; i++) {
        trainer.step();
      }
    }
  }

  /** Lines of metrics.jsonl without times. */
  public static List<String> metrics(Path run) throws IOException {
    List<String> lines = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      ObjectNode step = (ObjectNode) JSON.readTree(line);
      step.remove(List.of("tokens_per_s", "memory_gib", "cpu_seconds", "seconds"));
      lines.add(step.toString());
    }
    return lines;
  }

  /** Compares metrics, rollouts, weights and the optimizer's moments, bit for bit. */
  public static void assertSame(Path expected, Path actual, int step) throws IOException {
    assertEquals(metrics(expected), metrics(actual));
    for (int i = 1; i <= step; i++) {
      String dump = "rollouts/step-" + i + ".jsonl";
      assertEquals(
          Files.readString(expected.resolve(dump)), Files.readString(actual.resolve(dump)), dump);
    }
    for (String file : List.of("model.safetensors", "optimizer.safetensors")) {
      String path = "checkpoints/step-" + step + "/" + file;
      assertArrayEquals(
          Files.readAllBytes(expected.resolve(path)),
          Files.readAllBytes(actual.resolve(path)),
          path);
    }
  }
}
