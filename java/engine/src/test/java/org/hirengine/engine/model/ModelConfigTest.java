package org.hirengine.engine.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelConfigTest {

  private static final String LLAMA3_RULE =
      "\"rope_type\": \"llama3\", \"low_freq_factor\": 1, \"high_freq_factor\": 4,"
          + " \"original_max_position_embeddings\": 64, \"factor\": ";
  private static final String LLAMA3 = "\"rope_scaling\": {" + LLAMA3_RULE;
  private static final String MISTRAL = "\"model_type\": \"mistral\", \"num_key_value_heads\": 2";
  private static final String QWEN2 =
      "\"model_type\": \"qwen2\", \"num_key_value_heads\": 2, \"use_sliding_window\": true";

  private static ObjectNode json(String extra) throws Exception {
    ObjectNode json =
        (ObjectNode)
            new ObjectMapper()
                .readTree(
                    """
                    {"model_type": "llama", "vocab_size": 100, "hidden_size": 64,
                     "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
                     "rms_norm_eps": 1e-6, "rope_theta": 10000, "max_position_embeddings": 128}
                    """);
    json.setAll((ObjectNode) new ObjectMapper().readTree("{" + extra + "}"));
    return json;
  }

  private static ModelConfig parse(String extra) throws Exception {
    return ModelConfig.parse("test.json", json(extra));
  }

  @Test
  void fillsInWhatFilesLeaveOut() throws Exception {
    ModelConfig config = parse("");
    assertEquals(4, config.kvHeads());
    assertEquals(16, config.headDim());
    assertEquals(Set.of(), config.stopIds());
    assertEquals("float32", config.dtype());
    assertFalse(config.qkvBias() || config.qkNorm() || config.tied());
    ModelConfig qwen = parse("\"model_type\": \"qwen2\", \"num_key_value_heads\": null");
    assertEquals(4, qwen.kvHeads());
    assertTrue(qwen.qkvBias() && !qwen.qkNorm());
    assertNull(config.ropeScaling());
    assertNull(parse("\"rope_scaling\": null").ropeScaling());
    assertNull(parse("\"rope_scaling\": {\"type\": \"default\"}").ropeScaling());
  }

  @Test
  void takesOneStopIdOrMany() throws Exception {
    assertEquals(Set.of(7), parse("\"eos_token_id\": 7").stopIds());
    assertEquals(Set.of(7, 9), parse("\"eos_token_id\": [7, 9]").stopIds());
    assertEquals(Set.of(), parse("\"eos_token_id\": null").stopIds());
  }

  @Test
  void readsBothFormsOfRope() throws Exception {
    String rule =
        "\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 1,"
            + " \"high_freq_factor\": 4, \"original_max_position_embeddings\": 64";
    ModelConfig classic = parse("\"rope_scaling\": {" + rule + "}");
    ModelConfig recent =
        parse("\"rope_theta\": null, \"rope_parameters\": {\"rope_theta\": 5e5, " + rule + "}");
    assertNotNull(classic.ropeScaling());
    assertEquals(classic.ropeScaling(), recent.ropeScaling());
    assertEquals(10000, classic.ropeTheta());
    assertEquals(5e5, recent.ropeTheta());
    // Both forms in one file, in agreement.
    ModelConfig both =
        parse(
            "\"rope_scaling\": {"
                + rule.replace("rope_type", "type").replace("8,", "8.0,")
                + "}, \"rope_parameters\": {\"rope_theta\": 10000.0, "
                + rule
                + "}, \"dtype\": \"bfloat16\", \"torch_dtype\": \"bfloat16\"");
    assertEquals(classic.ropeScaling(), both.ropeScaling());
    assertEquals(10000, both.ropeTheta());
    assertEquals("bfloat16", both.dtype());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama3-mini",
        "qwen2-mini",
        "qwen3-mini",
        "mistral-mini",
        "qwen2-window-mini",
        "llama3-tiny",
        "qwen2-tiny",
        "qwen3-tiny"
      })
  void whatTransformers4And5WroteIsTheSameModel(String model) {
    Path folder = SharedData.require("golden/models/" + model);
    ModelConfig recent = ModelConfig.read(folder.resolve("config.json"));
    ModelConfig classic = ModelConfig.read(folder.resolve("config_classic.json"));
    assertEquals(withoutText(recent), withoutText(classic));
    SharedData.counted("golden/models configurations", 2);
  }

  private static String withoutText(ModelConfig config) {
    return config.toString().replaceAll(", json=.*", "");
  }

  @Test
  void slidingWindows() throws Exception {
    List<Integer> none = List.of(0, 0);
    assertEquals(none, parse("").windows());
    assertEquals(none, parse("\"sliding_window\": null").windows());
    // No sequence is longer than the 128 positions.
    assertEquals(none, parse("\"sliding_window\": 128").windows());
    assertEquals(List.of(8, 8), parse(MISTRAL + ", \"sliding_window\": 8").windows());
    assertEquals(none, parse(MISTRAL + ", \"sliding_window\": null").windows());
    assertEquals(none, parse(MISTRAL + ", \"sliding_window\": 4096").windows());
    String unused =
        QWEN2.replace("true", "false") + ", \"sliding_window\": 8, \"max_window_layers\": 1";
    assertEquals(none, parse(unused).windows());
    String window = QWEN2 + ", \"sliding_window\": 8";
    assertEquals(List.of(0, 8), parse(window + ", \"max_window_layers\": 1").windows());
    assertEquals(List.of(8, 8), parse(window + ", \"max_window_layers\": 0").windows());
    assertEquals(none, parse(window + ", \"max_window_layers\": 28").windows());
    String types = ", \"layer_types\": [\"sliding_attention\", \"full_attention\"]";
    assertEquals(List.of(8, 0), parse(window + types).windows());
    String later = ", \"layer_types\": [\"full_attention\", \"sliding_attention\"]";
    assertEquals(List.of(0, 8), parse(window + later + ", \"max_window_layers\": 1").windows());
  }

  @Test
  void aKeyGivenTwiceIsTwoValues(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("config.json");
    Files.writeString(file, json("").toString().replaceFirst("}$", ", \"vocab_size\": 101}"));
    ModelException e = assertThrows(ModelException.class, () -> ModelConfig.read(folder));
    assertTrue(e.getMessage().contains("vocab_size"), e.getMessage());
    Files.writeString(file, json("") + " {}");
    assertThrows(ModelException.class, () -> ModelConfig.read(folder));
    Files.writeString(file, json("").toString());
    assertEquals(100, ModelConfig.read(folder).vocabSize());
  }

  @Test
  void anAdapterIsNoModel(@TempDir Path folder) throws Exception {
    ModelException e = assertThrows(ModelException.class, () -> ModelConfig.read(folder));
    assertTrue(e.getMessage().contains("config.json: no such file"), e.getMessage());
    Files.writeString(
        folder.resolve("adapter_config.json"),
        "{\"peft_type\": \"LORA\", \"base_model_name_or_path\": \"Qwen/Qwen3-0.6B\"}");
    e = assertThrows(ModelException.class, () -> ModelConfig.read(folder));
    assertTrue(e.getMessage().contains("is a PEFT adapter"), e.getMessage());
    assertTrue(e.getMessage().contains("Qwen/Qwen3-0.6B"), e.getMessage());
    assertTrue(e.remedy().contains("merged"), e.remedy());
    Files.writeString(folder.resolve("config.json"), json("").toString());
    e = assertThrows(ModelException.class, () -> ModelConfig.read(folder));
    assertTrue(e.getMessage().contains("an adapter as well"), e.getMessage());
  }

  @Test
  void aTokenizerLargerThanTheEmbedding() throws Exception {
    ModelConfig config = parse("");
    config.checkTokenizer(Path.of("folder"), 100);
    ModelException e =
        assertThrows(ModelException.class, () -> config.checkTokenizer(Path.of("folder"), 101));
    assertTrue(e.getMessage().contains("101 tokens") && e.getMessage().contains("100 rows"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"model_type\": \"mixtral\" | mixtral",
        "\"model_type\": \"qwen3_moe\" | qwen3_moe",
        "\"hidden_act\": \"gelu\" | gelu",
        "\"use_sliding_window\": true | use_sliding_window",
        "\"sliding_window\": 64 | remove it, or use model_type mistral",
        "\"sliding_window\": \"64\" | sliding_window must be",
        MISTRAL + " | sliding_window is missing",
        MISTRAL + ", \"sliding_window\": 0 | sliding_window must be",
        MISTRAL + ", \"sliding_window\": 8.5 | sliding_window must be",
        MISTRAL + ", \"sliding_window\": 8, \"use_sliding_window\": false | use_sliding_window",
        MISTRAL + ", \"sliding_window\": null, \"use_sliding_window\": true | use_sliding_window",
        MISTRAL
            + ", \"sliding_window\": 8, \"layer_types\": [\"sliding_attention\","
            + " \"full_attention\"] | full_attention\" for layer 1",
        MISTRAL
            + ", \"sliding_window\": null, \"layer_types\": [\"full_attention\","
            + " \"sliding_attention\"] | sliding_window is null",
        "\"model_type\": \"mistral\", \"sliding_window\": null | num_key_value_heads is missing",
        QWEN2 + ", \"sliding_window\": null, \"max_window_layers\": 1 | sliding_window is missing",
        QWEN2 + ", \"sliding_window\": 8 | max_window_layers and layer_types are missing",
        QWEN2 + ", \"sliding_window\": 8, \"max_window_layers\": -1 | max_window_layers must be",
        QWEN2 + ", \"sliding_window\": -8, \"max_window_layers\": 1 | sliding_window must be",
        QWEN2
            + ", \"sliding_window\": 8, \"layer_types\": [\"full_attention\","
            + " \"chunked_attention\"] | chunked_attention",
        QWEN2
            + ", \"sliding_window\": 8, \"max_window_layers\": 1, \"layer_types\":"
            + " [\"sliding_attention\", \"full_attention\"] | max_window_layers is 1",
        "\"model_type\": \"qwen2\", \"num_key_value_heads\": 2, \"sliding_window\": 8,"
            + " \"layer_types\": [\"full_attention\", \"sliding_attention\"] |"
            + " use_sliding_window is not true",
        "\"layer_types\": [\"full_attention\", \"sliding_attention\"] | sliding_attention",
        "\"mlp_bias\": true | mlp_bias",
        "\"rope_interleaved\": true | rope_interleaved",
        "\"model_type\": \"llama\", \"attention_bias\": true | attention_bias",
        "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4} | yarn",
        "\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 4} | low_freq_factor",
        "\"torch_dtype\": \"int8\" | int8",
        "\"quantization_config\": {} | quantized",
        "\"vocab_size\": 0 | vocab_size",
        "\"vocab_size\": \"many\" | vocab_size",
        "\"vocab_size\": 1e3 | vocab_size",
        "\"num_hidden_layers\": null | num_hidden_layers",
        "\"rms_norm_eps\": 0 | rms_norm_eps",
        "\"num_key_value_heads\": 3 | num_key_value_heads",
        "\"num_attention_heads\": 5 | num_attention_heads",
        "\"head_dim\": 5 | odd",
        "\"rope_parameters\": {\"rope_theta\": 5e5} | rope_theta is given twice",
        "\"rope_scaling\": {\"rope_theta\": 5e5} | rope_scaling.rope_theta=500000.0",
        "\"rope_scaling\": {\"type\": \"default\"}, \"rope_parameters\": {\"rope_type\":"
            + " \"llama3\", \"factor\": 8, \"low_freq_factor\": 1, \"high_freq_factor\": 4,"
            + " \"original_max_position_embeddings\": 64} | disagree on rope_type",
        LLAMA3 + "8}, \"rope_parameters\": {" + LLAMA3_RULE + "32} | disagree on factor",
        LLAMA3 + "8}, \"original_max_position_embeddings\": 32 | original_max_position_embeddings",
        "\"rope_scaling\": {\"type\": \"llama3\", \"rope_type\": \"default\"} | rope_type",
        "\"rope_scaling\": {\"factor\": 2} | no rope_type",
        "\"rope_scaling\": \"llama3\" | must be an object",
        "\"rope_parameters\": {\"full_attention\": {\"rope_theta\": 1e4}} | full_attention",
        "\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 4,"
            + " \"high_freq_factor\": 4, \"original_max_position_embeddings\": 64} | less than",
        "\"partial_rotary_factor\": 0.5 | partial_rotary_factor",
        "\"rope_parameters\": {\"partial_rotary_factor\": 0.5} | partial_rotary_factor",
        "\"dtype\": \"float32\", \"torch_dtype\": \"bfloat16\" | torch_dtype",
        "\"tie_word_embeddings\": \"yes\" | tie_word_embeddings",
        "\"tie_word_embeddings\": 1 | tie_word_embeddings",
        "\"layer_types\": [\"full_attention\"] | layer_types",
        "\"initializer_range\": \"small\" | initializer_range",
        "\"eos_token_id\": \"2\" | eos_token_id",
        "\"eos_token_id\": [1, \"2\"] | eos_token_id",
        "\"architectures\": [\"Qwen2ForCausalLM\"] | architectures",
        "\"model_type\": \"qwen2\" | num_key_value_heads",
        "\"model_type\": \"qwen3\", \"num_key_value_heads\": 4 | head_dim",
      })
  void refusesWhatItCannotRun(String extra, String said) throws Exception {
    ObjectNode json = json(extra);
    ModelException e =
        assertThrows(ModelException.class, () -> ModelConfig.parse("test.json", json));
    assertTrue(e.getMessage().startsWith("test.json: "), e.getMessage());
    assertTrue(e.getMessage().contains(said), e.getMessage());
  }
}
