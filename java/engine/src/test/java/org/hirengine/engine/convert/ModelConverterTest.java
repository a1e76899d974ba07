package org.hirengine.engine.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.bytedeco.pytorch.Scalar;
import org.hirengine.engine.convert.ModelConverter.Storage;
import org.hirengine.engine.gguf.GgmlType;
import org.hirengine.engine.gguf.GgufFixture;
import org.hirengine.engine.gguf.GgufModel;
import org.hirengine.engine.gguf.ModelFiles;
import org.hirengine.engine.model.InitialWeights;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.ModelException;
import org.hirengine.engine.model.ModelWeights;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.PolicyFiles;
import org.hirengine.engine.model.ResponseBatch.Sequence;
import org.hirengine.engine.model.Scorer;
import org.hirengine.engine.rollout.StopIds;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.tokens.Tokenizer;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders to GGUF files and back, without loss except for the type's rounding. */
class ModelConverterTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path temp;

  /** A folder with random weights, and the tokenizer that a GGUF file of this kind gives. */
  private Path folder(String family, String kind, boolean scaled) throws IOException {
    Path folder = Files.createDirectories(temp.resolve("folder"));
    Path tokens =
        new GgufFixture(family).put("tokenizer.ggml.pre", kind).write(temp.resolve("tokens.gguf"));
    for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
      Files.writeString(folder.resolve(name), ModelFiles.text(tokens, name).orElseThrow());
    }
    Files.writeString(folder.resolve("chat_template.jinja"), "{{ messages[0]['content'] }}\n");
    Path more = Files.createDirectories(folder.resolve("additional_chat_templates"));
    Files.writeString(more.resolve("tool_use.jinja"), "tools");
    Files.writeString(
        folder.resolve("generation_config.json"),
        "{\"eos_token_id\": [" + GgufFixture.END + ", 7, 3], \"temperature\": 0.6}");
    ObjectNode json = JSON.createObjectNode();
    json.put("model_type", family).put("vocab_size", GgufFixture.ROWS);
    // Rows of 48 are not whole blocks of 32; heads of 12 are wider than 48 / 6.
    json.put("hidden_size", 64).put("intermediate_size", 48).put("num_hidden_layers", 2);
    json.put("num_attention_heads", 6).put("num_key_value_heads", 2).put("head_dim", 12);
    json.put("rms_norm_eps", 1e-5).put("rope_theta", 500000.0).put("initializer_range", 0.3);
    json.put("max_position_embeddings", 512).put("tie_word_embeddings", !family.equals("qwen3"));
    json.put("torch_dtype", "float32").put("eos_token_id", GgufFixture.END);
    if (scaled) {
      ObjectNode rope = json.putObject("rope_scaling").put("rope_type", "llama3");
      rope.put("factor", 8.0).put("low_freq_factor", 1.0).put("high_freq_factor", 4.0);
      rope.put("original_max_position_embeddings", 64);
    }
    ModelConfig config = ModelConfig.parse("test", json);
    try (Policy policy = InitialWeights.random(config, Policy.Options.FROZEN, 5)) {
      PolicyFiles.save(policy, DType.FLOAT32, folder);
    }
    return folder;
  }

  private static Map<String, float[]> weights(Path model) throws IOException {
    Map<String, float[]> all = new LinkedHashMap<>();
    try (ModelWeights weights = ModelWeights.open(model)) {
      for (String name : weights.names()) {
        int rows = weights.shape(name).get(0).intValue();
        all.put(name, weights.read(name, 0, rows));
      }
    }
    return all;
  }

  private static void assertSameWeights(Path one, Path other) throws IOException {
    Map<String, float[]> expected = weights(one);
    Map<String, float[]> found = weights(other);
    assertEquals(expected.keySet(), found.keySet());
    for (String name : expected.keySet()) {
      assertArrayEquals(expected.get(name), found.get(name), name);
    }
  }

  private static float[] logprobs(Path model) {
    int[] ids = new Random(3).ints(300, 0, 900).toArray();
    List<Sequence> one =
        List.of(Sequence.of(new int[] {ids[0]}, Arrays.copyOfRange(ids, 1, ids.length)));
    try (Policy policy = PolicyFiles.load(model, Policy.Options.FROZEN)) {
      return new Scorer(policy, NativeRuntime.kernels(Device.Kind.CPU))
          .score(one, 1, 4096, false)
          .get(0)
          .logprobs();
    }
  }

  /** llama.cpp calls a Mistral a llama, and knows no window for it. */
  @Test
  void aMistralBecomesALlamaUnlessItHasAWindow() throws IOException {
    Path folder = folder("llama", "llama-bpe", false);
    Path config = folder.resolve("config.json");
    ObjectNode json = (ObjectNode) JSON.readTree(config.toFile());
    json.remove("architectures");
    json.put("model_type", "mistral").putNull("sliding_window");
    JSON.writeValue(config.toFile(), json);
    Path file = temp.resolve("mistral.gguf");
    ModelConverter.convert(folder, file, null);
    assertEquals(ModelConfig.Family.LLAMA, ModelConfig.read(file).family());
    assertArrayEquals(logprobs(folder), logprobs(file), 0f);
    JSON.writeValue(config.toFile(), json.put("sliding_window", 9));
    Path refused = temp.resolve("window.gguf");
    ModelException e =
        assertThrows(ModelException.class, () -> ModelConverter.convert(folder, refused, null));
    assertTrue(e.getMessage().contains("sliding_window"), e.getMessage());
    assertFalse(Files.exists(refused));
  }

  @ParameterizedTest
  @CsvSource({
    "llama, llama-bpe, true",
    "llama, smollm, false",
    "llama, gpt-2, false",
    "llama, default, false",
    "llama, smaug-bpe, true",
    "qwen2, qwen2, false",
    "qwen3, qwen2, false",
    "qwen2, deepseek-r1-qwen, false",
  })
  void aFolderComesBackWhole(String family, String kind, boolean scaled) throws IOException {
    Path folder = folder(family, kind, scaled);
    Path file = temp.resolve("model.gguf");
    Path back = temp.resolve("back");
    assertEquals(Storage.F32, ModelConverter.convert(folder, file, null));
    assertEquals(Storage.F32, ModelConverter.convert(file, back, null));
    assertSameWeights(folder, file);
    assertSameWeights(folder, back);
    assertArrayEquals(logprobs(folder), logprobs(file));
    ModelConfig expected = ModelConfig.read(folder);
    for (Path copy : List.of(file, back)) {
      ModelConfig found = ModelConfig.read(copy);
      assertEquals(expected.shapes(), found.shapes());
      assertEquals(expected.ropeScaling(), found.ropeScaling());
      assertEquals(expected.ropeTheta(), found.ropeTheta());
      assertEquals(expected.rmsNormEps(), found.rmsNormEps());
      assertEquals(expected.maxPositions(), found.maxPositions());
      assertEquals(expected.tied(), found.tied());
      assertEquals(Set.of(GgufFixture.END, 7, 3), StopIds.of(copy, found, Set.of()));
      assertEquals(
          "{{ messages[0]['content'] }}\n",
          ModelFiles.text(copy, "chat_template.jinja").orElseThrow());
      assertEquals(List.of("tool_use"), ModelFiles.templates(copy));
      try (Tokenizer one = Tokenizer.load(folder);
          Tokenizer other = Tokenizer.load(copy)) {
        for (JsonNode test : GgufFixture.TOKENS.path("kinds").get(0).path("cases")) {
          String text = test.path("text").asText();
          assertArrayEquals(one.encode(text, true), other.encode(text, true), text);
        }
        assertEquals(one.eosId(), other.eosId());
        assertEquals(one.bosId(), other.bosId());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void sentencePieceTokenizersComeBack(boolean prefixed) throws IOException {
    Path file =
        GgufFixture.sentencePiece()
            .put("tokenizer.ggml.add_space_prefix", prefixed)
            .write(temp.resolve("pieces.gguf"));
    Path folder = temp.resolve("pieces");
    Path back = temp.resolve("back.gguf");
    ModelConverter.convert(file, folder, null);
    ModelConverter.convert(folder, back, null);
    assertSameWeights(file, back);
    JsonNode kinds = GgufFixture.resource("sentencepiece.json").path("kinds");
    try (Tokenizer one = Tokenizer.load(file);
        Tokenizer other = Tokenizer.load(back)) {
      for (JsonNode test : kinds.get(0).path("cases")) {
        String text = test.path("text").asText();
        int[] ids = one.encode(text, true);
        assertArrayEquals(ids, other.encode(text, true), text);
        assertEquals(one.decode(ids, false), other.decode(ids, false));
      }
    }
    // A GGUF file needs scores, which exist only if every way to join a piece is a merge.
    Path tokenizer = folder.resolve("tokenizer.json");
    ObjectNode changed = (ObjectNode) JSON.readTree(tokenizer.toFile());
    ((ArrayNode) changed.path("model").path("merges")).remove(5);
    Files.writeString(tokenizer, changed.toString());
    refused(() -> ModelConverter.convert(folder, back, null), "SentencePiece");
  }

  @ParameterizedTest
  @ValueSource(strings = {"F16", "BF16"})
  void narrowTypesKeepWhatTheyHold(Storage type) throws IOException {
    Path folder = folder("llama", "smollm", false);
    Path narrow = temp.resolve("narrow");
    Path file = temp.resolve("narrow.gguf");
    Path again = temp.resolve("again");
    ModelConverter.convert(folder, narrow, type);
    ModelConverter.convert(narrow, file, null);
    ModelConverter.convert(file, again, null);
    assertSameWeights(narrow, again);
    assertEquals(type == Storage.F16 ? "float16" : "bfloat16", ModelConfig.read(again).dtype());
    assertArrayEquals(
        Files.readAllBytes(narrow.resolve("model.safetensors")),
        Files.readAllBytes(again.resolve("model.safetensors")));
    Map<String, float[]> exact = weights(folder);
    Map<String, float[]> rounded = weights(narrow);
    double step = type == Storage.F16 ? 0x1p-11 : 0x1p-8;
    exact.forEach(
        (name, values) -> {
          for (int i = 0; i < values.length; i++) {
            double bound = step * Math.abs(values[i]) + 0x1p-24;
            assertEquals(values[i], rounded.get(name)[i], bound, name);
          }
        });
  }

  @Test
  void blocksFallBackToHalvesWhereRowsAreNone() throws IOException {
    Path file = temp.resolve("model.gguf");
    ModelConverter.convert(folder("qwen2", "qwen2", false), file, Storage.Q8_0);
    try (ModelWeights weights = ModelWeights.open(file)) {
      for (String name : weights.names()) {
        GgmlType expected =
            weights.shape(name).size() == 1
                ? GgmlType.F32
                : weights.shape(name).get(1) % 32 == 0 ? GgmlType.Q8_0 : GgmlType.F16;
        assertEquals(expected, weights.stored(name), name);
      }
      assertEquals(GgmlType.F16, weights.stored("model.layers.0.mlp.down_proj.weight"));
      assertEquals(GgmlType.Q8_0, weights.stored("model.layers.0.mlp.up_proj.weight"));
    }
    // Written again in the same type, decoded blocks do not change.
    Path again = temp.resolve("again.gguf");
    ModelConverter.convert(file, again, Storage.F32);
    assertSameWeights(file, again);
  }

  /** gguf-py made the reference files from the same folders. */
  @ParameterizedTest
  @CsvSource({
    "qwen2-tiny, qwen_like, F32", "qwen3-tiny, qwen_like, F32", "llama3-tiny, llama3_like, F32",
    "qwen2-tiny, qwen_like, Q8_0", "qwen3-tiny, qwen_like, Q8_0", "llama3-tiny, llama3_like, Q8_0",
  })
  void theSameAsTheReferenceConverter(String name, String tokenizer, Storage type)
      throws IOException {
    Path reference = SharedData.require("models/tiny/" + name + "." + type + ".gguf");
    Path folder = Files.createDirectories(temp.resolve("golden"));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(SharedData.require("golden/models/" + name + "/" + file), folder.resolve(file));
    }
    for (String file : List.of("tokenizer.json", "tokenizer_config.json")) {
      Files.copy(
          SharedData.require("golden/tokenizer/" + tokenizer + "/" + file), folder.resolve(file));
    }
    Path file = temp.resolve("model.gguf");
    ModelConverter.convert(folder, file, type);
    assertSameWeights(reference, file);
    try (ModelWeights expected = ModelWeights.open(reference);
        ModelWeights found = ModelWeights.open(file);
        Tokenizer one = Tokenizer.load(reference);
        Tokenizer other = Tokenizer.load(folder);
        Tokenizer third = Tokenizer.load(file)) {
      for (String tensor : expected.names()) {
        assertEquals(expected.stored(tensor), found.stored(tensor), tensor);
      }
      JsonNode golden = SharedData.json("golden/tokenizer/" + tokenizer + "/encode.json");
      for (JsonNode row : golden.path("cases")) {
        String text = row.path("text").asText();
        assertArrayEquals(other.encode(text), one.encode(text), text);
        assertArrayEquals(other.encode(text, true), third.encode(text, true), text);
        assertEquals(other.decode(one.encode(text), true), one.decode(one.encode(text), true));
      }
      assertTrue(golden.path("cases").size() > 20);
    }
    assertEquals(ModelConfig.read(reference).ropeScaling(), ModelConfig.read(file).ropeScaling());
    SharedData.counted("models/tiny conversions", 1);
  }

  @Test
  void whatGgufCannotHoldIsRefused() throws IOException {
    Path folder = folder("llama", "smollm", false);
    Path file = temp.resolve("model.gguf");
    refused(() -> ModelConverter.convert(folder, temp.resolve("out"), Storage.Q8_0), "Q8_0");

    Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [1, 2, 3, 4]}");
    refused(() -> ModelConverter.convert(folder, file, null), "room for three");
    Files.delete(folder.resolve("generation_config.json"));

    Path tokenizer = folder.resolve("tokenizer.json");
    String good = Files.readString(tokenizer);
    ObjectNode changed = (ObjectNode) JSON.readTree(good);
    changed.putObject("pre_tokenizer").put("type", "Whitespace");
    Files.writeString(tokenizer, changed.toString());
    refused(() -> ModelConverter.convert(folder, file, null), "no name for this way of splitting");

    changed = (ObjectNode) JSON.readTree(good);
    ((ObjectNode) changed.path("model").path("vocab")).put("beyond", GgufFixture.ROWS);
    Files.writeString(tokenizer, changed.toString());
    refused(() -> ModelConverter.convert(folder, file, null), "'beyond'");

    changed = (ObjectNode) JSON.readTree(good);
    ((ObjectNode) changed.path("model").path("vocab")).put("twice", 300);
    Files.writeString(tokenizer, changed.toString());
    refused(() -> ModelConverter.convert(folder, file, null), "'twice'");

    Files.delete(tokenizer);
    refused(() -> ModelConverter.convert(folder, file, null), "tokenizer.json");
    assertFalse(Files.exists(file));
  }

  private static void refused(Executable call, String words) {
    ModelException e = assertThrows(ModelException.class, call);
    assertTrue(String.valueOf(e.getMessage()).contains(words), words + " | " + e.getMessage());
    assertEquals(1, String.valueOf(e.getMessage()).lines().count());
  }

  @Test
  void aFileThatCannotBeFinishedIsNotThere() throws IOException {
    Path folder = folder("llama", "smollm", false);
    Path file = temp.resolve("model.gguf");
    ModelConverter.convert(folder, file, null);
    GgufModel.open(file).close();
    try (Policy policy = PolicyFiles.load(folder, Policy.Options.FROZEN)) {
      policy.parameters().get("model.layers.1.mlp.up_proj.weight").fill_(new Scalar(1e6));
      PolicyFiles.save(policy, DType.FLOAT32, folder);
    }
    byte[] before = Files.readAllBytes(file);
    refused(() -> ModelConverter.convert(folder, file, Storage.F16), "blk.1.ffn_up.weight");
    assertArrayEquals(before, Files.readAllBytes(file));
    try (var left = Files.list(temp)) {
      assertTrue(left.noneMatch(path -> path.toString().endsWith(".tmp")));
    }
  }
}
