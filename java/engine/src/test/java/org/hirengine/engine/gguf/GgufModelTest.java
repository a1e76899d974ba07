package org.hirengine.engine.gguf;

import static org.hirengine.engine.gguf.GgufFixture.BEGIN;
import static org.hirengine.engine.gguf.GgufFixture.END;
import static org.hirengine.engine.gguf.GgufFixture.ROWS;
import static org.hirengine.engine.gguf.GgufFixture.THINK;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.PolicyFiles;
import org.hirengine.engine.rollout.StopIds;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.engine.tokens.ChatTemplate;
import org.hirengine.engine.tokens.Tokenizer;
import org.hirengine.replay.DataException;
import org.hirengine.replay.Message;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** GGUF files as models: configuration, order of rows, tokenizer. */
class GgufModelTest {

  @TempDir Path folder;

  private Path write(GgufFixture fixture) throws IOException {
    return fixture.write(folder.resolve("model.gguf"));
  }

  private ModelConfig config(GgufFixture fixture) throws IOException {
    return ModelConfig.read(write(fixture));
  }

  private void refused(GgufFixture fixture, String... words) throws IOException {
    Path file = write(fixture);
    DataException e =
        assertThrows(
            DataException.class,
            () -> {
              ModelConfig.read(file);
              Tokenizer.load(file).close();
            });
    for (String word : words) {
      assertTrue(String.valueOf(e.getMessage()).contains(word), word + " | " + e.getMessage());
    }
    assertTrue(String.valueOf(e.getMessage()).startsWith(file.toString()), e::getMessage);
    assertFalse(e.remedy().isEmpty());
  }

  // Rows

  /** Every element of row r is r. */
  private static float[] numbered(int rows, int width) {
    float[] values = new float[rows * width];
    for (int row = 0; row < rows; row++) {
      Arrays.fill(values, row * width, (row + 1) * width, row);
    }
    return values;
  }

  private static List<Integer> rows(GgufModel model, String name, int rows) {
    float[] values = model.read(name, 0, rows);
    int width = values.length / rows;
    return IntStream.range(0, rows).mapToObj(r -> (int) values[r * width]).toList();
  }

  /** Heads of 8 rows: with 4 the permutation would be its own inverse, with 2 the identity. */
  @Test
  void queriesAndKeysOfLlamaComeInTheOrderOfHalves() throws IOException {
    GgufFixture fixture =
        new GgufFixture("llama")
            .tensor("blk.0.attn_q.weight", numbered(32, 32), 32, 32)
            .tensor("blk.0.attn_k.weight", numbered(16, 32), 16, 32)
            .tensor("blk.0.attn_v.weight", numbered(16, 32), 16, 32)
            .tensor("blk.0.attn_q.bias", numbered(32, 1), 32)
            .tensor("blk.0.attn_k.bias", numbered(16, 1), 16);
    List<Integer> head = List.of(0, 2, 4, 6, 1, 3, 5, 7);
    List<Integer> queries =
        IntStream.range(0, 32).mapToObj(r -> r / 8 * 8 + head.get(r % 8)).toList();
    String layer = "model.layers.0.self_attn.";
    try (GgufModel model = GgufModel.open(write(fixture))) {
      for (String kind : List.of("weight", "bias")) {
        assertEquals(queries, rows(model, layer + "q_proj." + kind, 32));
        assertEquals(queries.subList(0, 16), rows(model, layer + "k_proj." + kind, 16));
      }
      assertEquals(
          IntStream.range(0, 16).boxed().toList(), rows(model, layer + "v_proj.weight", 16));
      // One head at a time gives the same.
      assertEquals(8, model.rowStep(layer + "q_proj.weight"));
      float[] third = model.read(layer + "q_proj.weight", 16, 8);
      assertEquals(18, third[32]);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"qwen2", "qwen3"})
  void queriesAndKeysOfQwenStay(String family) throws IOException {
    GgufFixture fixture =
        new GgufFixture(family).tensor("blk.0.attn_q.weight", numbered(32, 32), 32, 32);
    try (GgufModel model = GgufModel.open(write(fixture))) {
      assertEquals(
          IntStream.range(0, 32).boxed().toList(),
          rows(model, "model.layers.0.self_attn.q_proj.weight", 32));
    }
  }

  // Configuration

  @Test
  void headsAreTiedWhereTheSetHoldsNone() throws IOException {
    assertTrue(config(new GgufFixture("llama")).tied());
    GgufFixture same = new GgufFixture("llama");
    same.tensor("output.weight", same.values("token_embd.weight"), ROWS, 32);
    assertFalse(config(same).tied());
    GgufFixture other = new GgufFixture("llama").tensor("output.weight", ROWS, 32);
    try (Policy policy = PolicyFiles.load(write(other), Policy.Options.FROZEN)) {
      assertFalse(policy.config().tied());
      try (var head = policy.headWeight().reshape(-1)) {
        assertArrayEquals(other.values("output.weight"), Tensors.floats(head));
      }
    }
  }

  @Test
  void aHeadIsAsWideAsItsKeySays() throws IOException {
    GgufFixture wide =
        new GgufFixture("qwen3")
            .own("attention.key_length", 32L)
            .own("attention.value_length", 32L)
            .own("rope.dimension_count", 32L);
    assertEquals(32, config(wide).headDim());
    assertEquals(8, config(new GgufFixture("qwen3")).headDim());
    refused(wide.own("attention.value_length", 64L), "attention.value_length", "64", "32");
    refused(
        wide.own("attention.value_length", 32L).own("rope.dimension_count", 8L),
        "rope.dimension_count",
        "8",
        "attention.key_length",
        "32");
    refused(
        new GgufFixture("llama")
            .own("attention.head_count", 3L)
            .remove("llama.attention.head_count_kv"),
        "3 heads",
        "32");
    refused(new GgufFixture("llama").own("attention.head_count_kv", 3L), "head_count_kv", "3", "4");
    refused(new GgufFixture("llama").own("attention.head_count_kv", 0L), "head_count_kv");
  }

  @Test
  void numbersAreThoseThatWereMeant() throws IOException {
    ModelConfig config = config(new GgufFixture("llama"));
    assertEquals(1e-5, config.rmsNormEps());
    assertEquals(
        10000, config(new GgufFixture("llama").remove("llama.rope.freq_base")).ropeTheta());
    assertEquals(
        4,
        config(
                new GgufFixture("llama")
                    .remove("llama.attention.head_count_kv")
                    .tensor("blk.0.attn_k.weight", 32, 32))
            .kvHeads());
  }

  /** The values of released Llama 3.2 models, computed from their config.json. */
  @Test
  void factorsOfFrequenciesAreExplained() throws IOException {
    float[] factors = new float[32];
    Arrays.fill(factors, 0, 15, 1);
    factors[15] = 1.651329f;
    factors[16] = 3.292262f;
    factors[17] = 9.666729f;
    Arrays.fill(factors, 18, 32, 32);
    GgufFixture fixture =
        new GgufFixture("llama")
            .own("attention.key_length", 64L)
            .own("attention.value_length", 64L)
            .own("rope.freq_base", 500000.0)
            .tensor("rope_freqs.weight", factors, 32);
    assertEquals(new ModelConfig.RopeScaling(32, 1, 4, 8192), config(fixture).ropeScaling());
    assertArrayEquals(factors, new RopeFactors(32, 1, 4, 8192).values(500000, 64), 1e-5f);
    float[] ones = new float[32];
    Arrays.fill(ones, 1);
    assertEquals(null, config(fixture.tensor("rope_freqs.weight", ones, 32)).ropeScaling());
    for (float wrong : new float[] {0, Float.NaN, -1, Float.POSITIVE_INFINITY}) {
      float[] broken = factors.clone();
      broken[3] = wrong;
      refused(fixture.tensor("rope_freqs.weight", broken, 32), "rope_freqs.weight", "" + wrong);
    }
    float[] other = factors.clone();
    other[16] = 20;
    refused(fixture.tensor("rope_freqs.weight", other, 32), "rope_freqs.weight", "Llama 3");
    refused(fixture.tensor("rope_freqs.weight", 16), "rope_freqs.weight", "16", "32");
  }

  /** Any four numbers give the same factors again. */
  @ParameterizedTest
  @CsvSource({
    "8, 1, 4, 8192, 500000, 128",
    "32, 1, 4, 8192, 500000, 64",
    "8, 1, 4, 64, 500000, 16",
    "4, 1, 2, 4096, 10000, 128",
    "16, 2, 8, 16384, 500000, 128",
    "2, 1, 4, 2048, 10000, 32",
  })
  void factorsComeBack(
      double factor, double low, double high, double original, double theta, int head)
      throws IOException {
    float[] factors = new RopeFactors(factor, low, high, original).values(theta, head);
    try (Gguf gguf = Gguf.open(write(new GgufFixture("llama")))) {
      JsonNode found = RopeFactors.explain(gguf, factors, theta, head, 0);
      float[] again =
          new RopeFactors(
                  found.path("factor").asDouble(),
                  found.path("low_freq_factor").asDouble(),
                  found.path("high_freq_factor").asDouble(),
                  found.path("original_max_position_embeddings").asDouble())
              .values(theta, head);
      for (int i = 0; i < factors.length; i++) {
        assertEquals(factors[i], again[i], 1e-4 * factors[i], found.toString());
      }
    }
  }

  @Test
  void whatIsNotRunIsRefusedByName() throws IOException {
    for (String other : List.of("gemma3", "phi3", "mistral3", "falcon", "qwen3moe", "qwen2vl")) {
      refused(
          new GgufFixture("llama").put("general.architecture", other),
          "general.architecture",
          other);
    }
    refused(new GgufFixture("llama").remove("general.architecture"), "is missing");
    refused(new GgufFixture("llama").own("expert_count", 8L), "llama.expert_count");
    refused(new GgufFixture("llama").own("attention.sliding_window", 4096L), "sliding_window");
    refused(new GgufFixture("llama").own("rope.scaling.type", "yarn"), "'yarn'");
    refused(new GgufFixture("llama").own("rope.scaling.type", "linear"), "'linear'");
    refused(new GgufFixture("llama").own("rope.scale_linear", 4.0), "4.0");
    refused(new GgufFixture("llama").own("block_count", "many"), "'many'", "whole number");
    refused(new GgufFixture("llama").remove("llama.context_length"), "context_length", "missing");
    refused(new GgufFixture("llama").tensor("blk.0.ffn_gate_inp.weight", 8, 32), "ffn_gate_inp");
  }

  // Tokenizer

  static List<String> kinds() {
    List<String> kinds = new ArrayList<>();
    GgufFixture.TOKENS.path("kinds").forEach(kind -> kinds.add(kind.path("pre").asText()));
    return kinds;
  }

  /** The ids of llama.cpp. Qwen's own tokenizer composes characters first; llama.cpp does not. */
  @ParameterizedTest
  @MethodSource("kinds")
  void wordsAreSplitAsTheFileSays(String kind) throws IOException {
    Path file = write(new GgufFixture("llama").put("tokenizer.ggml.pre", kind));
    int compared = 0;
    try (Tokenizer tokenizer = Tokenizer.load(file)) {
      for (JsonNode row : GgufFixture.TOKENS.path("kinds")) {
        if (!row.path("pre").asText().equals(kind)) {
          continue;
        }
        for (JsonNode test : row.path("cases")) {
          String text = test.path("text").asText();
          int[] expected = new int[test.path("ids").size()];
          for (int i = 0; i < expected.length; i++) {
            expected[i] = test.path("ids").get(i).intValue();
          }
          boolean composed = kind.equals("qwen2") && text.matches("(?s).*[\\u0301\\u0303].*");
          if (!composed) {
            assertArrayEquals(expected, tokenizer.encode(text), kind + " | " + text);
            compared++;
          }
        }
      }
    }
    assertTrue(compared > 50, "compared " + compared);
  }

  /** The ids of llama.cpp, with and without a blank before the text. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void sentencePieceModelsMergeByScore(boolean prefixed) throws IOException {
    Path file = write(GgufFixture.sentencePiece().put("tokenizer.ggml.add_space_prefix", prefixed));
    int compared = 0;
    try (Tokenizer tokenizer = Tokenizer.load(file)) {
      for (JsonNode kind : GgufFixture.resource("sentencepiece.json").path("kinds")) {
        if (kind.path("prefix").asBoolean() != prefixed) {
          continue;
        }
        for (JsonNode test : kind.path("cases")) {
          String text = test.path("text").asText();
          int[] expected = new int[test.path("ids").size()];
          for (int i = 0; i < expected.length; i++) {
            expected[i] = test.path("ids").get(i).intValue();
          }
          assertArrayEquals(expected, tokenizer.encode(text), text);
          compared++;
        }
      }
      String text = "the and naïve 語 \uD83D\uDC4D";
      assertEquals(text, tokenizer.decode(tokenizer.encode(text), true));
      assertEquals(1, tokenizer.encode("the", true)[0], "begins with <s> unless told otherwise");
    }
    assertTrue(compared > 60, "compared " + compared);
    refused(GgufFixture.sentencePiece().remove("tokenizer.ggml.scores"), "tokenizer.ggml.scores");
  }

  @Test
  void waysOfSplittingThatAreNotKnownAreNamed() throws IOException {
    refused(new GgufFixture("llama").put("tokenizer.ggml.pre", "nosuch"), "'nosuch'");
    Path file = write(new GgufFixture("llama").put("tokenizer.ggml.pre", "nosuch"));
    DataException e = assertThrows(DataException.class, () -> Tokenizer.load(file));
    assertTrue(e.remedy().contains("llama-bpe") && e.remedy().contains("smollm"), e.remedy());
    refused(new GgufFixture("llama").remove("tokenizer.ggml.pre"), "tokenizer.ggml.pre", "missing");
    refused(new GgufFixture("llama").put("tokenizer.ggml.model", "bert"), "'bert'");
  }

  @Test
  void specialTokensAreOneIdEach() throws IOException {
    String template =
        "{% for m in messages %}<|begin|>{{ m['content'] }}<|end|>{% endfor %}"
            + "{% if add_generation_prompt %}<think>{% endif %}";
    Path file = write(new GgufFixture("llama").put("tokenizer.chat_template", template));
    try (Tokenizer tokenizer = Tokenizer.load(file)) {
      String text =
          ChatTemplate.load(file).render(List.of(new Message("user", "the")), true, Map.of());
      int[] ids = tokenizer.encode(text);
      assertEquals(BEGIN, ids[0]);
      assertEquals(END, ids[ids.length - 2]);
      assertEquals(THINK, ids[ids.length - 1]);
      assertTrue(tokenizer.isSpecial(BEGIN) && !tokenizer.isSpecial(THINK));
      assertEquals("the<think>", tokenizer.decode(ids, true));
      assertEquals(BEGIN, tokenizer.bosId().orElseThrow());
    }
  }

  /** Qwen3's own template, in which a variable turns thinking off. */
  @Test
  void thinkingIsTheTemplatesToSwitch() throws IOException {
    String template =
        Files.readString(SharedData.require("golden/tokenizer/templates/qwen3.jinja"));
    Path file =
        write(
            new GgufFixture("qwen3")
                .put("tokenizer.ggml.pre", "qwen2")
                .put("tokenizer.chat_template", template));
    try (Tokenizer tokenizer = Tokenizer.load(file)) {
      ChatTemplate chat = ChatTemplate.load(file);
      List<Message> messages = List.of(new Message("user", "the sound"));
      String open = chat.render(messages, true, Map.of("enable_thinking", true));
      String shut = chat.render(messages, true, Map.of("enable_thinking", false));
      assertTrue(open.endsWith("<|im_start|>assistant\n"), open);
      assertTrue(shut.endsWith("<think>\n\n</think>\n\n"), shut);
      assertEquals(
          1, Arrays.stream(tokenizer.encode(shut)).filter(id -> id == THINK).count(), shut);
      assertEquals(shut, tokenizer.decode(tokenizer.encode(shut), false));
    }
  }

  @Test
  void templatesBesideTheMainOneAreFound() throws IOException {
    GgufFixture fixture =
        new GgufFixture("llama")
            .put("tokenizer.chat_template", "main")
            .put("tokenizer.chat_templates", List.of("tool_use", "rag"))
            .put("tokenizer.chat_template.tool_use", "with tools")
            .put("tokenizer.chat_template.rag", "{{ messages[0]['content'] }}!");
    Path file = write(fixture);
    assertEquals(List.of("rag", "tool_use"), ModelFiles.templates(file));
    assertEquals(
        "with tools", ModelFiles.text(file, "additional_chat_templates/tool_use.jinja").get());
    fixture.put("tokenizer.chat_templates", List.of("../../evil"));
    Path evil = write(fixture);
    assertThrows(DataException.class, () -> ModelFiles.templates(evil));
  }

  /** The file decides about a beginning token, whatever the kind does by default. */
  @ParameterizedTest
  @CsvSource({"smollm, false, false", "smollm, true, true", "llama-bpe, false, false"})
  void textsBeginAsTheFileSays(String kind, boolean said, boolean begins) throws IOException {
    GgufFixture fixture =
        new GgufFixture("llama")
            .put("tokenizer.ggml.pre", kind)
            .put("tokenizer.ggml.add_bos_token", said);
    try (Tokenizer tokenizer = Tokenizer.load(write(fixture))) {
      int[] ids = tokenizer.encode("the and", true);
      assertEquals(begins, ids[0] == BEGIN);
      assertEquals(begins ? 1 : 0, Arrays.stream(ids).filter(id -> id == BEGIN).count());
    }
    fixture.remove("tokenizer.ggml.add_bos_token");
    try (Tokenizer tokenizer = Tokenizer.load(write(fixture))) {
      assertEquals(kind.equals("llama-bpe"), tokenizer.encode("the", true)[0] == BEGIN);
    }
  }

  @Test
  void responsesEndAtAllThreeIds() throws IOException {
    Path file =
        write(
            new GgufFixture("llama")
                .put("tokenizer.ggml.eot_token_id", 7L)
                .put("tokenizer.ggml.eom_token_id", 9L));
    assertEquals(Set.of(END, 7, 9), StopIds.of(file, ModelConfig.read(file), Set.of()));
  }

  @Test
  void tokensThatContradictThemselvesAreRefused() throws IOException {
    List<String> twice = new ArrayList<>(GgufFixture.texts("tokens"));
    twice.set(5, twice.get(6));
    refused(new GgufFixture("llama").put("tokenizer.ggml.tokens", twice), "ids 5 and 6");
    refused(
        new GgufFixture("llama").put("tokenizer.ggml.token_type", List.of(1, 1)), "has 2 entries");
    refused(new GgufFixture("llama").put("tokenizer.ggml.merges", List.of("zz qq")), "'zz qq'");
    refused(new GgufFixture("llama").put("tokenizer.ggml.merges", List.of("joined")), "'joined'");
    refused(new GgufFixture("llama").put("tokenizer.ggml.eos_token_id", 1L << 20), "eos_token_id");
    refused(new GgufFixture("llama").remove("tokenizer.ggml.merges"), "merges", "missing");
    refused(new GgufFixture("llama").put("tokenizer.ggml.tokens", "one"), "tokens", "not an array");
  }
}
