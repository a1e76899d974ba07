package org.hirengine.engine.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.Runs;
import org.hirengine.engine.TinyWorld;
import org.hirengine.engine.config.ConfigException;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.model.Safetensors;
import org.hirengine.engine.runtime.Tensors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Training an adapter: its files, its resumption, and its reference policy. */
class LoraTrainingTest {

  @TempDir Path temp;
  private TinyWorld world;

  @BeforeEach
  void world() throws IOException {
    world = new TinyWorld(temp);
  }

  private TrainConfig config(String out, String... more) {
    String[] settings = {
      "train.steps=4", "train.mini_batch=2", "checkpoint.every=2", "kl.beta=0.1"
    };
    return world.config(out, Stream.of(settings, more).flatMap(Stream::of).toArray(String[]::new));
  }

  private static float[] values(Path file) {
    try (Safetensors tensors = Safetensors.open(file)) {
      List<String> names = tensors.names().stream().sorted().toList();
      float[] all = new float[0];
      for (String name : names) {
        try (Tensor tensor = tensors.tensor(name)) {
          float[] more = Tensors.floats(tensor);
          int before = all.length;
          all = Arrays.copyOf(all, before + more.length);
          System.arraycopy(more, 0, all, before, more.length);
        }
      }
      return all;
    }
  }

  private void assertSame(String one, String other) throws IOException {
    for (String file : List.of("adapter_model.safetensors", "optimizer.safetensors")) {
      Path name = Path.of("checkpoints/step-4").resolve(file);
      assertArrayEquals(
          values(temp.resolve(one).resolve(name)), values(temp.resolve(other).resolve(name)), file);
    }
  }

  private double kl(String run, int step) throws IOException {
    return new ObjectMapper()
        .readTree(Runs.metrics(temp.resolve(run)).get(step))
        .path("kl")
        .asDouble();
  }

  @ParameterizedTest
  @ValueSource(strings = {"float32", "bfloat16"})
  void aResumedRunEndsAsAnUndisturbedOne(String dtype) throws IOException {
    String[] lora = {"lora.rank=4", "lora.targets=q,v,up", "optim.lr=0.01", "dtype=" + dtype};
    Runs.run(config("whole", lora));
    Runs.leftAfter(3, config("parts", lora)); // the last checkpoint is that of step 2
    Runs.run(config("parts", lora));
    assertSame("whole", "parts");
    Path checkpoint = temp.resolve("whole/checkpoints/step-4");
    assertFalse(Files.exists(checkpoint.resolve("model.safetensors")));
    JsonNode json = new ObjectMapper().readTree(checkpoint.resolve("adapter_config.json").toFile());
    assertEquals(world.model().toString(), json.path("base_model_name_or_path").asText());
    assertEquals(8, json.path("lora_alpha").asInt());
    assertEquals("[\"q_proj\",\"v_proj\",\"up_proj\"]", json.path("target_modules").toString());
    float[] values = values(checkpoint.resolve("adapter_model.safetensors"));
    float[] start = values(temp.resolve("whole/checkpoints/step-2/adapter_model.safetensors"));
    assertFalse(Arrays.equals(start, values));
    // The base never changes, so policy and reference are equal until the adapter's first step.
    assertEquals(0, kl("whole", 0));
    assertTrue(Math.abs(kl("whole", 3)) > 0);
  }

  /** The reference is the initial adapter, even after its folder is gone. */
  @Test
  void goingOnFromAnAdapter() throws IOException {
    Runs.run(config("first", "lora.rank=2", "optim.lr=0.01"));
    Path adapter = temp.resolve("adapter");
    Files.createDirectories(adapter);
    for (String name : List.of("adapter_config.json", "adapter_model.safetensors")) {
      Files.copy(temp.resolve("first/checkpoints/step-4").resolve(name), adapter.resolve(name));
    }
    String[] more = {"adapter=" + adapter, "optim.lr=0.01"};
    Runs.run(config("whole", more));
    assertEquals(0, kl("whole", 0));
    Runs.leftAfter(2, config("parts", more));
    Path kept = temp.resolve("parts/checkpoints/step-2/reference");
    assertArrayEquals(
        values(adapter.resolve("adapter_model.safetensors")),
        values(kept.resolve("adapter_model.safetensors")));
    Files.delete(adapter.resolve("adapter_model.safetensors"));
    Runs.run(config("parts", more));
    assertSame("whole", "parts");
  }

  @Test
  void settingsThatDoNotFit() {
    String both =
        assertThrows(ConfigException.class, () -> config("x", "lora.rank=2", "adapter=somewhere"))
            .getMessage();
    assertTrue(both.contains("lora.rank (2)"), both);
    String target =
        assertThrows(ConfigException.class, () -> config("x", "lora.rank=2", "lora.targets=q,head"))
            .getMessage();
    assertTrue(target.contains("head"), target);
  }
}
