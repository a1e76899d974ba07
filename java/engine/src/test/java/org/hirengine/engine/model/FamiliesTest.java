package org.hirengine.engine.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Objects;
import org.bytedeco.javacpp.PointerScope;
import org.hirengine.engine.gguf.GgufFixture;
import org.hirengine.engine.model.ForwardPass.Activations;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.engine.tokens.Tokenizer;
import org.hirengine.kernels.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The models that people try first, by their published config.json. */
class FamiliesTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  private static ObjectNode published(String name) throws IOException {
    try (InputStream in =
        Objects.requireNonNull(
            FamiliesTest.class.getResourceAsStream("families/" + name + ".json"))) {
      return (ObjectNode) JSON.readTree(in);
    }
  }

  /** The true widths of heads, norms and frequencies, with fewer layers, tokens and inner units. */
  @ParameterizedTest
  @CsvSource({
    "qwen2.5-0.5b-instruct, 494032768, 64",
    "qwen3-0.6b, 596049920, 128",
    "llama-3.2-1b-instruct, 1235814400, 64",
    "smollm2-135m-instruct, 134515008, 64",
    "smollm2-1.7b-instruct, 1711376384, 64",
    "tinyllama-1.1b-chat, 1100048384, 64",
  })
  void loadsAndComputes(String name, long parameters, int headDim) throws IOException {
    ObjectNode json = published(name);
    ModelConfig full = ModelConfig.parse(name, json);
    assertEquals(headDim, full.headDim());
    assertEquals(
        parameters,
        full.shapes().values().stream()
            .mapToLong(shape -> shape.stream().reduce(1L, (a, b) -> a * b))
            .sum(),
        "the number of parameters that the model is published with");
    json.put("num_hidden_layers", 1).put("vocab_size", 300).put("intermediate_size", 64);
    int[] ids = {7, 290, 3, 3, 111};
    try (PointerScope scope = new PointerScope();
        Policy drawn =
            InitialWeights.random(
                ModelConfig.parse(name, json), Policy.Options.FROZEN, name.hashCode())) {
      PolicyFiles.save(drawn, DType.FLOAT32, folder);
      try (Policy policy = PolicyFiles.load(folder, Policy.Options.FROZEN);
          ForwardPass pass =
              policy
                  .passes()
                  .forward(new PackedBatch(ids, new int[] {ids.length}), Activations.NONE)) {
        double[][] expected = new ReferenceModel(drawn).logits(ids);
        float[] found = Tensors.floats(policy.passes().logits(pass.hidden()));
        for (int t = 0; t < ids.length; t++) {
          for (int v = 0; v < 300; v++) {
            assertEquals(expected[t][v], found[t * 300 + v], 1e-4, name);
          }
        }
      }
    }
  }

  /** Its layers are too wide to compute here: mistral-mini of golden/models is of the same kind. */
  @Test
  void mistral7bSeesThroughItsWindow() throws IOException {
    ModelConfig config = ModelConfig.parse("mistral-7b", published("mistral-7b-v0.1"));
    assertEquals(128, config.headDim());
    assertEquals(Collections.nCopies(32, 4096), config.windows());
    assertEquals(
        7_241_732_096L,
        config.shapes().values().stream()
            .mapToLong(shape -> shape.stream().reduce(1L, (a, b) -> a * b))
            .sum());
  }

  @ParameterizedTest
  @CsvSource({
    "mistral3",
    "ministral",
    "gemma2",
    "gemma3_text",
    "phi3",
    "phi",
    "qwen2_moe",
    "qwen3_moe",
    "smollm3",
    "olmo2",
    "granite",
    "deepseek_v3",
    "gpt2",
    "''",
  })
  void othersAreRefusedByName(String type) throws IOException {
    ObjectNode json = published("qwen2.5-0.5b-instruct");
    json.put("model_type", type).remove("architectures");
    ModelException e =
        assertThrows(ModelException.class, () -> ModelConfig.parse("config.json", json));
    String message = String.valueOf(e.getMessage());
    assertTrue(message.contains(type.isEmpty() ? "is missing" : "\"" + type + "\""), message);
    assertTrue(message.contains("qwen2") && message.contains("llama"), message);
  }

  /**
   * TinyLlama's tokenizer.json: a symbol stands for a blank, and a character without a token
   * becomes bytes.
   */
  @Test
  void tokenizersThatFallBackToBytes() throws IOException {
    JsonNode model = GgufFixture.resource("sentencepiece.json");
    Files.writeString(folder.resolve("tokenizer.json"), model.path("tokenizer").toString());
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\", \"unk_token\": \"<unk>\"}");
    int compared = 0;
    try (Tokenizer tokenizer = Tokenizer.load(folder)) {
      for (JsonNode test : model.path("kinds").get(0).path("cases")) {
        String text = test.path("text").asText();
        if (text.contains("<|user|>")) {
          continue; // a token that only the GGUF file has
        }
        int[] expected = new int[test.path("ids").size()];
        for (int i = 0; i < expected.length; i++) {
          expected[i] = test.path("ids").get(i).intValue();
        }
        assertArrayEquals(expected, tokenizer.encode(text), text);
        compared++;
      }
      assertEquals(2, tokenizer.eosId().orElseThrow());
      assertEquals("語 \uD83D\uDC4D", tokenizer.decode(tokenizer.encode("語 \uD83D\uDC4D"), true));
    }
    assertTrue(compared > 60, "compared " + compared);
  }
}
