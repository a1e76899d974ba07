package org.hirengine.engine.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.model.ForwardPass.Activations;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class PolicyTest {

  private static final int VOCABULARY = 37;
  private static final Policy.Options BFLOAT16 =
      new Policy.Options(Device.CPU, DType.BFLOAT16, true);

  @BeforeAll
  static void load() {
    NativeRuntime.load();
  }

  private static ModelConfig config(String type) {
    return TestModels.config(type, VOCABULARY, 0.3);
  }

  /** Lengths in several of attention's buckets, runs of equal lengths, and single tokens. */
  private static PackedBatch batch(int... lengths) {
    return new PackedBatch(
        TestModels.tokens(new Random(1), Arrays.stream(lengths).sum(), VOCABULARY), lengths);
  }

  @ParameterizedTest
  @ValueSource(strings = {"qwen2", "qwen3", "llama", "mistral"})
  void logitsAreThoseOfTheReferenceModel(String type) {
    try (PointerScope scope = new PointerScope();
        Policy policy = InitialWeights.random(config(type), Policy.Options.FROZEN, 9)) {
      ReferenceModel reference = new ReferenceModel(policy);
      for (int[] lengths :
          new int[][] {{1}, {7}, {5, 5, 5}, {1, 40, 3, 39, 1, 17, 33, 40, 2}, {30, 23, 22}}) {
        PackedBatch batch = batch(lengths);
        try (ForwardPass pass = policy.passes().forward(batch, Activations.NONE)) {
          float[] logits = Tensors.floats(policy.passes().logits(pass.hidden()));
          int row = 0;
          for (int i = 0; i < lengths.length; i++) {
            int start = batch.starts()[i];
            int[] ids = Arrays.copyOfRange(batch.ids(), start, start + lengths[i]);
            for (double[] want : reference.logits(ids)) {
              for (int v = 0; v < VOCABULARY; v++) {
                assertEquals(want[v], logits[row * VOCABULARY + v], 2e-4, type + " row " + row);
              }
              row++;
            }
          }
        }
      }
    }
  }

  /** Bit for bit, with a prompt shared and without; one token less is another model. */
  @Test
  void aWindowThatHoldsTheSequenceIsNone() {
    ObjectNode json = config("mistral").json().deepCopy();
    int[] ids = TestModels.tokens(new Random(2), 60, VOCABULARY);
    for (PackedBatch batch :
        List.of(
            new PackedBatch(ids, new int[] {60}),
            new PackedBatch(ids, new int[] {20, 40}, new int[] {-1, 0}))) {
      float[] full = logits(json.putNull("sliding_window"), batch);
      assertArrayEquals(full, logits(json.put("sliding_window", 60), batch), 0f);
      float[] less = logits(json.put("sliding_window", 59), batch);
      int last = 59 * VOCABULARY;
      assertArrayEquals(Arrays.copyOf(full, last), Arrays.copyOf(less, last), 0f);
      assertFalse(Arrays.equals(full, less));
    }
  }

  private static float[] logits(ObjectNode json, PackedBatch batch) {
    ModelConfig config = ModelConfig.parse("test", json);
    try (PointerScope scope = new PointerScope();
        Policy policy = InitialWeights.random(config, Policy.Options.FROZEN, 9);
        ForwardPass pass = policy.passes().forward(batch, Activations.NONE)) {
      return Tensors.floats(policy.passes().logits(pass.hidden()));
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Activations.class,
      names = {"KEEP", "RECOMPUTE"})
  void gradientsOfMicroBatchesAddUp(Activations activations) {
    int[] lengths = {9, 4, 17, 4, 1, 12};
    PackedBatch all = batch(lengths);
    try (Policy whole = InitialWeights.random(config("qwen3"), Policy.Options.TRAINABLE, 2);
        Policy parts = InitialWeights.random(config("qwen3"), Policy.Options.TRAINABLE, 2)) {
      GoldenModelTest.sumOfLogprobsBackward(whole, all, Activations.KEEP);
      for (int i = 0; i < lengths.length; i++) {
        int start = all.starts()[i];
        int[] ids = Arrays.copyOfRange(all.ids(), start, start + lengths[i]);
        PackedBatch one = new PackedBatch(ids, new int[] {lengths[i]});
        GoldenModelTest.sumOfLogprobsBackward(parts, one, activations);
      }
      assertClose(whole, parts, 1e-5);
      whole.zeroGradients();
      assertEquals(0, GoldenModelTest.squares(Tensors.floats(whole.gradients())));
    }
  }

  private static void assertClose(Policy expected, Policy found, double relative) {
    for (Map.Entry<String, Tensor> gradient : expected.parameterGradients().entrySet()) {
      float[] want = Tensors.floats(gradient.getValue());
      float[] got = Tensors.floats(found.parameterGradients().get(gradient.getKey()));
      double difference = 0;
      for (int i = 0; i < want.length; i++) {
        difference += Math.pow(want[i] - got[i], 2);
      }
      double norm = Math.sqrt(GoldenModelTest.squares(want));
      double off = Math.sqrt(difference) / norm;
      assertTrue(off < relative, gradient.getKey() + ": off by " + off + " of its norm");
    }
  }

  /** In fp32 the two differ only by the rounding of sums, in bf16 by that of every product. */
  @Test
  void bfloat16GradientsGatherInFloat32Buffers() {
    PackedBatch batch = batch(20, 31, 7, 12);
    ModelConfig config = TestModels.config("qwen3", VOCABULARY, 0.1);
    try (Policy full = InitialWeights.random(config, Policy.Options.TRAINABLE, 3);
        Policy half = InitialWeights.random(config, BFLOAT16, 3)) {
      Tensor low = half.lowPrecision();
      assertNotNull(low);
      assertNull(full.lowPrecision());
      assertEquals(ScalarType.BFloat16, Tensors.dtype(low));
      assertArrayEquals(Tensors.floats(full.masters()), Tensors.floats(half.masters()), 0f);
      for (int i = 0; i < 3; i++) {
        GoldenModelTest.sumOfLogprobsBackward(full, batch, Activations.KEEP);
        Activations activations = i == 1 ? Activations.RECOMPUTE : Activations.KEEP;
        GoldenModelTest.sumOfLogprobsBackward(half, batch, activations);
      }
      assertClose(full, half, 0.03);
    }
  }

  @Test
  void keptAndRecomputedBfloat16GradientsAreTheSame() {
    PackedBatch batch = batch(20, 31, 7, 12);
    try (Policy kept = InitialWeights.random(config("llama"), BFLOAT16, 3);
        Policy recomputed = InitialWeights.random(config("llama"), BFLOAT16, 3)) {
      GoldenModelTest.sumOfLogprobsBackward(kept, batch, Activations.KEEP);
      GoldenModelTest.sumOfLogprobsBackward(recomputed, batch, Activations.RECOMPUTE);
      assertArrayEquals(
          Tensors.floats(kept.gradients()), Tensors.floats(recomputed.gradients()), 0f);
    }
  }

  @Test
  void theSameSeedGivesTheSameWeights() {
    try (Policy one = InitialWeights.random(config("qwen2"), Policy.Options.TRAINABLE, 5);
        Policy two = InitialWeights.random(config("qwen2"), Policy.Options.FROZEN, 5);
        Policy other = InitialWeights.random(config("qwen2"), Policy.Options.FROZEN, 6)) {
      assertArrayEquals(Tensors.floats(one.masters()), Tensors.floats(two.masters()), 0f);
      assertFalse(Arrays.equals(Tensors.floats(one.masters()), Tensors.floats(other.masters())));
      float[] matrix = Tensors.floats(one.parameters().get("model.layers.0.mlp.up_proj.weight"));
      double deviation = Math.sqrt(GoldenModelTest.squares(matrix) / matrix.length);
      assertEquals(0.3, deviation, 0.02);
      assertArrayEquals(
          new float[32 * 4], // biases of q, k and v
          Arrays.copyOf(
              Tensors.floats(one.parameters().get("model.layers.0.self_attn.q_proj.bias")), 128),
          0f);
    }
  }

  @Test
  void namesWhatConfigAndWeightsDisagreeOn(@TempDir Path folder) throws Exception {
    try (Policy policy = InitialWeights.random(config("qwen3"), Policy.Options.FROZEN, 1)) {
      PolicyFiles.save(policy, DType.FLOAT32, folder);
    }
    String config = Files.readString(folder.resolve("config.json"));
    assertRefused(
        folder,
        config.replace("\"num_hidden_layers\" : 2", "\"num_hidden_layers\" : 3"),
        "model.layers.2");
    assertRefused(
        folder,
        config.replace("\"num_hidden_layers\" : 2", "\"num_hidden_layers\" : 1"),
        "model.layers.1");
    assertRefused(
        folder, config.replace("\"hidden_size\" : 32", "\"hidden_size\" : 48"), "expected");
    assertRefused(folder, config.replace("\"qwen3\"", "\"llama\""), "k_norm");
    assertRefused(folder, config.replace("\"qwen3\"", "\"gemma3\""), "gemma3");
    assertRefused(folder, "{", "config.json");
  }

  private static void assertRefused(Path folder, String config, String said) throws Exception {
    Files.writeString(folder.resolve("config.json"), config);
    ModelException e =
        assertThrows(ModelException.class, () -> PolicyFiles.load(folder, Policy.Options.FROZEN));
    assertTrue(e.getMessage().contains(said), e.getMessage());
    assertTrue(e.getMessage().contains(folder.toString()), e.getMessage());
  }

  private static ObjectNode json(Path folder) throws Exception {
    return (ObjectNode) new ObjectMapper().readTree(folder.resolve("config.json").toFile());
  }

  private static void tie(Path folder, boolean tied) throws Exception {
    ObjectNode config = json(folder).put("tie_word_embeddings", tied);
    Files.writeString(folder.resolve("config.json"), config.toString());
  }

  private static float[] logits(Policy policy) {
    try (PointerScope scope = new PointerScope();
        ForwardPass pass = policy.passes().forward(batch(9, 4), Activations.NONE)) {
      return Tensors.floats(policy.passes().logits(pass.hidden()));
    }
  }

  /** Reads it as transformers 5 does; version 4 would ignore the head. */
  @Test
  void aHeadThatDiffersFromItsTiedEmbeddingIsUsed(@TempDir Path folder) throws Exception {
    float[] expected;
    try (Policy untied = InitialWeights.random(config("qwen3"), Policy.Options.FROZEN, 9)) {
      PolicyFiles.save(untied, DType.FLOAT32, folder.resolve("model"));
      expected = logits(untied);
    }
    tie(folder.resolve("model"), true);
    try (Policy policy = PolicyFiles.load(folder.resolve("model"), Policy.Options.TRAINABLE)) {
      assertArrayEquals(expected, logits(policy));
      assertFalse(policy.config().tied());
      // The saved model is unambiguous.
      PolicyFiles.save(policy, DType.FLOAT32, folder.resolve("again"));
    }
    assertFalse(json(folder.resolve("again")).get("tie_word_embeddings").asBoolean());
    try (Policy again = PolicyFiles.load(folder.resolve("again"), Policy.Options.FROZEN)) {
      assertArrayEquals(expected, logits(again));
    }
  }

  /** A tied model may have the head alone, or both tensors, but not neither. */
  @Test
  void ofATiedPairEitherTensorWillDo(@TempDir Path folder) throws Exception {
    ModelConfig config = config("llama");
    float[] expected;
    try (Policy policy = InitialWeights.random(config, Policy.Options.FROZEN, 9)) {
      expected = logits(policy);
      for (String names : new String[] {"lm_head", "both", "none"}) {
        PolicyFiles.save(policy, DType.FLOAT32, folder.resolve(names));
        Map<String, Tensor> tensors = new HashMap<>(policy.parameters());
        Tensor embedding = tensors.remove(ParameterLayout.EMBEDDING);
        if (!names.equals("none")) {
          tensors.put(ParameterLayout.HEAD, embedding);
        }
        if (names.equals("both")) {
          tensors.put(ParameterLayout.EMBEDDING, embedding);
        }
        SafetensorsWriter.write(
            folder.resolve(names).resolve(Safetensors.SINGLE), tensors, Map.of());
      }
    }
    for (String names : new String[] {"lm_head", "both"}) {
      try (Policy policy = PolicyFiles.load(folder.resolve(names), Policy.Options.FROZEN)) {
        assertTrue(policy.config().tied());
        assertArrayEquals(expected, logits(policy), names);
      }
    }
    assertRefused(
        folder.resolve("none"),
        Files.readString(folder.resolve("none/config.json")),
        "no tensor model.embed_tokens.weight");
  }

  @Test
  void aMissingHeadIsNotInvented(@TempDir Path folder) throws Exception {
    try (Policy tied = InitialWeights.random(config("llama"), Policy.Options.FROZEN, 9)) {
      PolicyFiles.save(tied, DType.FLOAT32, folder);
    }
    tie(folder, false);
    assertRefused(
        folder, Files.readString(folder.resolve("config.json")), "set tie_word_embeddings to true");
  }

  @Test
  void whatIsSavedNamesOneType(@TempDir Path folder) throws Exception {
    ObjectNode written = config("llama").json().deepCopy();
    written.put("dtype", "bfloat16").put("torch_dtype", "bfloat16");
    try (Policy policy =
        InitialWeights.random(ModelConfig.parse("test", written), Policy.Options.FROZEN, 1)) {
      PolicyFiles.save(policy, DType.FLOAT32, folder);
    }
    assertEquals("float32", ModelConfig.read(folder).dtype());
  }

  @Test
  void aFullDiskIsSaidToBeFull(@TempDir Path folder) throws Exception {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "no /dev/full here");
    Files.createSymbolicLink(folder.resolve("model.safetensors.tmp"), full);
    try (Policy policy = InitialWeights.random(config("llama"), Policy.Options.FROZEN, 1)) {
      ModelException e =
          assertThrows(ModelException.class, () -> PolicyFiles.save(policy, DType.FLOAT32, folder));
      assertTrue(e.getMessage().contains("No space left on device"), e.getMessage());
      assertTrue(e.remedy().contains("free disk space"), e.remedy());
    }
  }

  /** Links like those in the cache of the Hugging Face Hub. */
  @Test
  void savingReplacesALinkAndLeavesItsTargetAlone(@TempDir Path folder) throws Exception {
    Path blob = Files.writeString(folder.resolve("blob"), "another model's");
    Path target = Files.createDirectories(folder.resolve("model"));
    for (String name : new String[] {"config.json", "model.safetensors"}) {
      Files.createSymbolicLink(target.resolve(name), blob);
    }
    try (Policy policy = InitialWeights.random(config("llama"), Policy.Options.FROZEN, 1)) {
      PolicyFiles.save(policy, DType.FLOAT32, target);
    }
    assertEquals("another model's", Files.readString(blob));
    PolicyFiles.load(target, Policy.Options.FROZEN).close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama3-mini", "llama3-tiny"})
  void ropeFrequenciesOfLlama3(String model) {
    Path folder = SharedData.require("golden/models/" + model);
    try (Safetensors golden = Safetensors.open(folder.resolve("golden_rope.safetensors"))) {
      float[] expected = GoldenModel.floats(golden, "inv_freq");
      for (String name : new String[] {"config.json", "config_classic.json"}) {
        float[] found = RotaryTable.inverseFrequencies(ModelConfig.read(folder.resolve(name)));
        assertEquals(expected.length, found.length);
        for (int i = 0; i < found.length; i++) {
          assertEquals(expected[i], found[i], 2e-7 * expected[i]);
        }
      }
      SharedData.counted("golden/models rope", 1);
    }
  }
}
