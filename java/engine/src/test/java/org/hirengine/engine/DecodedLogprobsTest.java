package org.hirengine.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.kernels.Device;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Old log-probs and entropies from decoding train as those from scoring do. */
class DecodedLogprobsTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String SCORED = "sampling.logprobs=scored";

  @TempDir Path temp;

  private Path run(TinyWorld world, String out, String... settings) throws IOException {
    List<String> all = new ArrayList<>(List.of("train.steps=3", "train.mini_batch=2"));
    all.addAll(List.of(settings));
    Runs.run(world.config(out, all.toArray(String[]::new)));
    return temp.resolve(out);
  }

  private static List<ObjectNode> metrics(Path run) throws IOException {
    List<ObjectNode> steps = new ArrayList<>();
    for (String line : Runs.metrics(run)) {
      steps.add((ObjectNode) JSON.readTree(line));
    }
    return steps;
  }

  /** Metrics without what only a scored step has. */
  private static List<JsonNode> others(Path run) throws IOException {
    List<JsonNode> steps = new ArrayList<>();
    for (ObjectNode step : metrics(run)) {
      step.remove(List.of("logprob_mismatch", "logprob_mismatch_max"));
      ((ObjectNode) step.get("alarm")).remove("mismatch");
      steps.add(step);
    }
    return steps;
  }

  @ParameterizedTest
  @CsvSource({
    "hir, float32, 1",
    "hir, bfloat16, 0.7",
    "hir-achieve, float32, 0.7",
    "grpo, bfloat16, 1",
  })
  void trainTheSameBitForBit(String algorithm, String dtype, String temperature)
      throws IOException {
    TinyWorld world = new TinyWorld(temp);
    String[] settings = {
      "algorithm=" + algorithm, "dtype=" + dtype, "sampling.temperature=" + temperature, ""
    };
    settings[3] = "sampling.logprobs=auto";
    Path decoded = run(world, "decoded", settings);
    settings[3] = SCORED;
    Path scored = run(world, "scored", settings);
    assertEquals(others(scored), others(decoded));
    for (int step = 1; step <= 3; step++) {
      String dump = "rollouts/step-" + step + ".jsonl";
      assertEquals(
          Files.readString(scored.resolve(dump)), Files.readString(decoded.resolve(dump)), dump);
    }
    String weights = "checkpoints/step-3/model.safetensors";
    assertArrayEquals(
        Files.readAllBytes(scored.resolve(weights)), Files.readAllBytes(decoded.resolve(weights)));
  }

  /** The first step compares both; with LibTorch's operators, which differ, all steps score. */
  @Test
  void areComparedWithScoredOnesInTheFirstStep() throws IOException {
    List<ObjectNode> steps = metrics(run(new TinyWorld(temp), "run"));
    boolean exact = NativeRuntime.kernels(Device.Kind.CPU).runModels();
    assertTrue(steps.get(0).has("logprob_mismatch"));
    assertEquals(!exact, steps.get(1).has("logprob_mismatch"));
    assertEquals(!exact, steps.get(2).has("logprob_mismatch"));
  }

  /**
   * Whoever asks for them gets them from any decoder: LibTorch's differ from scoring's a little.
   */
  @Test
  void canBeForced() throws IOException {
    List<ObjectNode> steps = metrics(run(new TinyWorld(temp), "run", "sampling.logprobs=decoded"));
    assertTrue(steps.get(0).get("logprob_mismatch_max").asDouble() < 1e-4);
    assertTrue(!steps.get(2).has("logprob_mismatch"));
  }
}
