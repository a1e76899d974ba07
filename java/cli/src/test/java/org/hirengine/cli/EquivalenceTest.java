package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Equivalent configurations train alike: losses and gradient norms agree step by step, within the
 * relative bound of each configuration.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EquivalenceTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private Path folder;
  private Path config;
  private Path sft;
  private List<JsonNode> base;
  private JsonNode supervised;

  /** Sixteen requests, four per step, with every term of the loss in use. */
  @BeforeAll
  void runTheBases(@TempDir Path shared) throws IOException {
    folder = shared;
    DemoPolicy.in(folder);
    Files.write(folder.resolve("train.jsonl"), DemoPolicy.requests("med/train.jsonl", 16));
    config =
        Files.writeString(
            folder.resolve("config.yaml"),
            """
            model: model
            out: base
            threads: 1
            algorithm: hir
            data: {train: train.jsonl}
            train: {steps: 2, prompts: 4, group: 4, mini_batch: 2, seed: 3}
            replay: {sampled: 3}
            limits: {prompt: 96, response: 16}
            optim: {lr: 1e-3}
            kl: {beta: 0.01, loss: k3, loss_weight: 0.05}
            loss: {entropy_bonus: 0.01}
            log: {tensorboard: false}
            checkpoint: {every: 0}
            """);
    HirConsole.run("demo-data", "--part", "skill", "--seed", "4", "--pairs", "48", "--out", folder)
        .succeeds();
    sft =
        Files.writeString(
            folder.resolve("sft.yaml"),
            """
            model: model
            data: pairs.jsonl
            out: base-sft
            threads: 1
            batch: 16
            steps: 2
            optim: {lr: 1e-4}
            """);
    base = train("base");
    supervised = sft("base-sft");
  }

  private List<JsonNode> train(String out, String... settings) throws IOException {
    List<Object> words = new ArrayList<>(List.of("train", config, "out=" + folder.resolve(out)));
    words.addAll(List.of(settings));
    HirConsole.run(words.toArray()).succeeds();
    List<JsonNode> steps = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve(out).resolve("metrics.jsonl"))) {
      steps.add(JSON.readTree(line));
    }
    return steps;
  }

  private JsonNode sft(String out, String... settings) throws IOException {
    List<Object> words =
        new ArrayList<>(List.of("sft", sft, "--json", "out=" + folder.resolve(out)));
    words.addAll(List.of(settings));
    return JSON.readTree(HirConsole.run(words.toArray()).succeeds().out());
  }

  private static void assertClose(JsonNode expected, JsonNode actual, String metric, double bound) {
    double wanted = expected.at(metric).asDouble();
    assertTrue(Double.isFinite(wanted) && wanted != 0, metric + " is " + expected.at(metric));
    double found = actual.at(metric).asDouble();
    assertEquals(wanted, found, bound * Math.abs(wanted), metric);
  }

  @ParameterizedTest
  @CsvSource({
    // rows packed differently, so GEMMs of other shapes; "1" is one row at a time
    "train.micro_tokens=1, 1e-5",
    "train.micro_tokens=150, 1e-5",
    "train.micro_tokens=700, 1e-5",
    // a group's prompt computed once, or once per row
    "train.share_prompts=false, 1e-5",
    "train.share_prompts=false train.micro_tokens=150, 1e-5",
    // the same operations in the same order, run twice
    "train.recompute=true, 0",
    "train.recompute=true train.micro_tokens=1, 1e-5",
    // sums split over threads
    "threads=2, 1e-5",
    // decoded beside other rows, but scored alike
    "sampling.batch=1, 0",
    "sampling.batch=5, 0",
    // the number of verifying threads does not matter
    "verify.threads=1, 0",
    "log.rollouts=false, 0",
  })
  void trainingDoesNotDependOn(String settings, double bound) throws IOException {
    List<JsonNode> steps = train(settings.replaceAll("\\W", "-"), settings.split(" "));
    assertEquals(base.size(), steps.size());
    for (int i = 0; i < steps.size(); i++) {
      assertEquals(base.get(i).get("cla"), steps.get(i).get("cla"), "the same responses");
      assertEquals(base.get(i).get("replayed"), steps.get(i).get("replayed"));
      for (String metric : List.of("/loss", "/grad_norm", "/kl", "/entropy")) {
        if (i > 0 || !metric.equals("/kl")) { // at first the policy equals its reference
          assertClose(base.get(i), steps.get(i), metric, bound);
        }
      }
    }
  }

  /** Fixed data, so that computing in another number format can be compared, too. */
  @ParameterizedTest
  @CsvSource({
    "micro_tokens=1, 1e-5",
    "micro_tokens=300, 1e-5",
    "recompute=true, 0",
    "threads=2, 1e-5",
    // 8 bits of mantissa in activations and GEMMs; masters and moments are float32
    "dtype=bfloat16, 2e-2",
    "dtype=bfloat16 recompute=true, 2e-2",
  })
  void supervisedTrainingDoesNotDependOn(String settings, double bound) throws IOException {
    JsonNode other = sft("sft-" + settings.replaceAll("\\W", "-"), settings.split(" "));
    assertClose(supervised, other, "/loss", bound);
    assertClose(supervised, other, "/grad_norm", bound);
  }

  /** HiR without room for replays is plain reinforcement learning with the binary reward. */
  @Test
  void noReplaysIsThePlainMethod() throws IOException {
    List<JsonNode> hir = train("none", "replay.sampled=4");
    List<JsonNode> plain = train("plain", "algorithm=rl-ila");
    for (int i = 0; i < hir.size(); i++) {
      assertEquals(plain.get(i).get("loss"), hir.get(i).get("loss"));
      assertEquals(plain.get(i).get("grad_norm"), hir.get(i).get("grad_norm"));
      assertEquals(0, hir.get(i).get("replayed").asInt());
    }
  }
}
