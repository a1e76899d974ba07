package org.hirengine.engine.distributed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.hirengine.engine.HirTrainer;
import org.hirengine.engine.Runs;
import org.hirengine.engine.TinyWorld;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.model.Safetensors;
import org.hirengine.engine.runs.RunFolder;
import org.hirengine.engine.runs.Summary;
import org.hirengine.engine.runtime.Tensors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A run is the same on any number of ranks. */
class SameRunTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path temp;
  private TinyWorld world;

  @BeforeEach
  void world() throws IOException {
    world = new TinyWorld(temp);
  }

  /** Runs on so many ranks; what the first one's summary says. */
  private Summary run(int ranks, String out, String... settings) throws Exception {
    TrainConfig config = world.config(out, settings);
    return Ranks.run(
            ranks,
            group -> {
              try (HirTrainer trainer =
                  HirTrainer.builder()
                      .config(config)
                      .existing(RunFolder.Existing.RESUME)
                      .distributed(group)
                      .build()) {
                return trainer.run();
              }
            })
        .get(0);
  }

  /**
   * Ten steps with a reference policy: metrics and weights to 1e-5. At a learning rate as real runs
   * have it: what rounding changes grows with the steps' size, as after any other change of order.
   */
  @ParameterizedTest
  @ValueSource(strings = {"hir", "hir-achieve"})
  void agreesToRounding(String algorithm) throws Exception {
    String[] settings = {
      "algorithm=" + algorithm,
      "train.steps=10",
      "checkpoint.every=0",
      "train.mini_batch=2",
      "optim.lr=1e-5"
    };
    Summary one = run(1, "one", settings);
    for (int ranks : new int[] {2, 4}) {
      String out = "on" + ranks;
      Summary many = run(ranks, out, settings);
      assertEquals(one.rollouts(), many.rollouts());
      assertEquals(one.after(), many.after());
      assertNear(Runs.metrics(temp.resolve("one")), Runs.metrics(temp.resolve(out)));
      assertNear(
          temp.resolve("one/checkpoints/step-10/model.safetensors"),
          temp.resolve(out + "/checkpoints/step-10/model.safetensors"));
    }
  }

  private static void assertNear(List<String> expected, List<String> actual) throws IOException {
    assertEquals(expected.size(), actual.size());
    for (int i = 0; i < expected.size(); i++) {
      assertNear(JSON.readTree(expected.get(i)), JSON.readTree(actual.get(i)), "step " + (i + 1));
    }
  }

  private static void assertNear(JsonNode expected, JsonNode actual, String where) {
    if (expected.isNumber()) {
      // Loss and KL are what is left of log-probs near 1, and as exact as those.
      double tolerance = 1e-5 * Math.max(Math.abs(expected.asDouble()), 0.1);
      assertEquals(expected.asDouble(), actual.asDouble(), tolerance, where);
      return;
    }
    List<String> names = new ArrayList<>();
    expected.fieldNames().forEachRemaining(names::add);
    List<String> others = new ArrayList<>();
    actual.fieldNames().forEachRemaining(others::add);
    assertEquals(names, others, where);
    Iterator<Map.Entry<String, JsonNode>> fields = expected.fields();
    while (fields.hasNext()) {
      Map.Entry<String, JsonNode> field = fields.next();
      assertNear(field.getValue(), actual.get(field.getKey()), where + " " + field.getKey());
    }
  }

  /** The norm of the difference against the norm, over each tensor. */
  private static void assertNear(Path expected, Path actual) {
    try (Safetensors one = Safetensors.open(expected);
        Safetensors other = Safetensors.open(actual);
        PointerScope scope = new PointerScope()) {
      for (String name : one.names()) {
        float[] a = Tensors.floats(one.tensor(name));
        float[] b = Tensors.floats(other.tensor(name));
        double square = 0;
        double distance = 0;
        for (int i = 0; i < a.length; i++) {
          square += (double) a[i] * a[i];
          distance += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
        }
        assertTrue(distance <= 1e-10 * square, name + ": " + Math.sqrt(distance / square));
      }
    }
  }

  /**
   * The documented mode: four parts of every mini-batch have the same bits on 1, 2 and 4 ranks, in
   * every type of the optimizer's state.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "float32 float32 float32",
        "bfloat16 float32 float32",
        "bfloat16 split bfloat16",
        "bfloat16 float32 int8"
      })
  void isTheSameBitForBitInParts(String types) throws Exception {
    String[] type = types.split(" ");
    String[] settings = {
      "dtype=" + type[0],
      "optim.masters=" + type[1],
      "optim.moments=" + type[2],
      "distributed.parts=4",
      "checkpoint.every=0",
      "train.mini_batch=2"
    };
    Summary one = run(1, "one", settings);
    for (int ranks : new int[] {2, 4}) {
      assertEquals(one.after(), run(ranks, "on" + ranks, settings).after());
      Runs.assertSame(temp.resolve("one"), temp.resolve("on" + ranks), 4);
      assertSameFile("checkpoints/step-4/optimizer.safetensors", "on" + ranks);
      assertSameFile("checkpoints/step-4/model.safetensors", "on" + ranks);
    }
  }

  private void assertSameFile(String name, String out) throws IOException {
    long differs = Files.mismatch(temp.resolve("one/" + name), temp.resolve(out + "/" + name));
    assertEquals(-1, differs, out + "/" + name);
  }

  /** Saved by two ranks, continued by one, and then by four: shards are cut anew. */
  @ParameterizedTest
  @ValueSource(strings = {"float32 float32", "split int8"})
  void aCheckpointOfSomeRanksResumesOnOthers(String types) throws Exception {
    String[] type = types.split(" ");
    String parts = "distributed.parts=4";
    String dtype = "dtype=bfloat16";
    String masters = "optim.masters=" + type[0];
    String moments = "optim.moments=" + type[1];
    run(1, "whole", parts, dtype, masters, moments, "train.steps=6");
    run(2, "moved", parts, dtype, masters, moments, "train.steps=2");
    run(1, "moved", parts, dtype, masters, moments, "train.steps=4");
    run(4, "moved", parts, dtype, masters, moments, "train.steps=6");
    Runs.assertSame(temp.resolve("whole"), temp.resolve("moved"), 6);
  }

  /** An adapter is small: every rank keeps all of it, and the gradients are summed on all. */
  @Test
  void adaptersAreTheSameOnAnyNumberOfRanks() throws Exception {
    String[] settings = {
      "lora.rank=4", "distributed.parts=4", "checkpoint.every=0", "train.mini_batch=2"
    };
    Summary one = run(1, "one", settings);
    for (int ranks : new int[] {2, 4}) {
      assertEquals(one.after(), run(ranks, "on" + ranks, settings).after());
      assertSameFile("checkpoints/step-4/adapter_model.safetensors", "on" + ranks);
      assertSameFile("checkpoints/step-4/optimizer.safetensors", "on" + ranks);
    }
  }

  /** More ranks than prompts, and than rows of a mini-batch: some have nothing, and take part. */
  @Test
  void ranksWithoutWorkTakePart() throws Exception {
    String[] settings = {
      "train.prompts=1", "train.group=2", "replay.sampled=2", "train.steps=2", "eval.prompts=2"
    };
    run(1, "one", settings);
    run(4, "four", settings);
    assertNear(Runs.metrics(temp.resolve("one")), Runs.metrics(temp.resolve("four")));
  }

  @Test
  void refusesPartsThatTheRanksCannotShare() {
    // Both ranks fail alike, and one of them says so.
    DistributedException e =
        assertThrows(DistributedException.class, () -> run(2, "run", "distributed.parts=3"));
    assertTrue(
        e.getMessage().contains("distributed.parts is 3, not a multiple of the 2 ranks"),
        e.toString());
  }

  @Test
  void refusesRanksWithOtherSettings() {
    // The rank that tells first fails by itself, the others because of it.
    RuntimeException e =
        assertThrows(
            RuntimeException.class,
            () ->
                Ranks.run(
                    3,
                    group -> {
                      String rate = "optim.lr=" + (group.rank() == 2 ? "0.5" : "1e-4");
                      // Where a rank keeps its files, and how many threads it has, is its own
                      // affair.
                      TrainConfig config =
                          world.config("of-" + group.rank(), rate, "threads=" + (1 + group.rank()));
                      try (HirTrainer trainer =
                          HirTrainer.builder().config(config).distributed(group).build()) {
                        return trainer.run();
                      }
                    }));
    assertTrue(
        e.getMessage()
            .contains(
                "rank 2 was given optim.lr: 0.5, and rank 0 optim.lr: 1.0E-4: give all ranks"),
        e.getMessage());
  }

  @Test
  void theFirstRankAloneWrites() throws Exception {
    run(2, "run", "train.steps=2");
    assertEquals(2, Runs.metrics(temp.resolve("run")).size());
    assertTrue(Files.exists(temp.resolve("run/summary.json")));
    assertTrue(Files.exists(temp.resolve("run/rollouts/step-2.jsonl")));
  }
}
