package org.hirengine.engine.tokens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.hirengine.replay.DataException;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class TokenizerTest {

  /** One token per word, without merges, as in a small policy of our own. */
  private static final String WORD_LEVEL =
      """
      {"version": "1.0", "truncation": null, "padding": null,
       "added_tokens": [
         {"id": 0, "content": "<pad>", "single_word": false, "lstrip": false, "rstrip": false,
          "normalized": false, "special": true},
         {"id": 1, "content": "<eos>", "single_word": false, "lstrip": false, "rstrip": false,
          "normalized": false, "special": true}],
       "normalizer": null,
       "pre_tokenizer": {"type": "WhitespaceSplit"},
       "post_processor": null,
       "decoder": null,
       "model": {"type": "WordLevel", "unk_token": "<unk>",
         "vocab": {"<pad>": 0, "<eos>": 1, "<unk>": 2, "river": 3, "River": 4, "fließt": 5}}}
      """;

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "qwen_mini,tokenizer.json",
    "qwen_mini,tokenizer_string_merges.json",
    "llama3_mini,tokenizer.json",
    "llama3_mini,tokenizer_string_merges.json",
    "qwen_like,tokenizer.json",
    "qwen_like,tokenizer_string_merges.json",
    "llama3_like,tokenizer.json",
    "llama3_like,tokenizer_string_merges.json"
  })
  void encodesAndDecodesAsTheReference(String kind, String file) throws IOException {
    Path source = SharedData.require("golden/tokenizer/" + kind);
    Files.copy(source.resolve(file), folder.resolve("tokenizer.json"));
    Files.copy(source.resolve("tokenizer_config.json"), folder.resolve("tokenizer_config.json"));
    JsonNode encode = SharedData.json("golden/tokenizer/" + kind + "/encode.json").get("cases");
    JsonNode decode = SharedData.json("golden/tokenizer/" + kind + "/decode.json").get("cases");
    try (Tokenizer tokenizer = Tokenizer.load(folder)) {
      for (JsonNode row : encode) {
        String text = row.get("text").asText();
        int[] ids = tokenizer.encode(text);
        assertArrayEquals(ints(row.get("ids")), ids, text);
        assertArrayEquals(ints(row.get("ids_add_special")), tokenizer.encode(text, true), text);
        assertEquals(row.get("decoded").asText(), tokenizer.decode(ids, false));
        assertEquals(row.get("decoded_skip_special").asText(), tokenizer.decode(ids, true));
        for (int i = 0; i < ids.length; i++) {
          assertEquals(row.get("tokens").get(i).asText(), tokenizer.token(ids[i]));
          assertEquals(OptionalInt.of(ids[i]), tokenizer.id(row.get("tokens").get(i).asText()));
        }
      }
      for (JsonNode row : decode) {
        assertEquals(
            row.get("decoded").asText(),
            tokenizer.decode(ints(row.get("ids")), false),
            () -> row.get("ids").toString());
      }
      assertEquals(512, tokenizer.vocabularySize());
    }
    SharedData.counted("tokenizer/" + kind, encode.size() + decode.size());
  }

  @Test
  void namesTheTokensWithARole() {
    try (Tokenizer qwen = golden("qwen_mini");
        Tokenizer llama = golden("llama3_mini")) {
      assertEquals(OptionalInt.of(505), qwen.eosId());
      assertEquals(OptionalInt.of(503), qwen.padId());
      assertEquals(OptionalInt.empty(), qwen.bosId());
      assertEquals("<|begin_of_text|>", llama.specialTokens().bos());
      assertEquals("<|eot_id|>", llama.specialTokens().eos());
      assertTrue(qwen.isSpecial(505));
      assertFalse(qwen.isSpecial(506), "<tool_call> is added but not special");
      assertNull(qwen.token(512));
    }
  }

  @Test
  void neverTruncatesOrPads() throws IOException {
    String json =
        WORD_LEVEL
            .replace(
                "\"truncation\": null",
                """
                "truncation": {"direction": "Right", "max_length": 4,
                  "strategy": "LongestFirst", "stride": 0}\
                """)
            .replace(
                "\"padding\": null",
                """
                "padding": {"strategy": {"Fixed": 8}, "direction": "Right",
                  "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "<pad>"}\
                """);
    write("tokenizer.json", json);
    try (Tokenizer tokenizer = Tokenizer.load(folder)) {
      assertEquals(20_000, tokenizer.encode("river ".repeat(20_000)).length);
      assertArrayEquals(new int[] {3}, tokenizer.encode("river"));
    }
  }

  @Test
  void readsAWordLevelTokenizer() throws IOException {
    write("tokenizer.json", WORD_LEVEL);
    write("tokenizer_config.json", "{\"eos_token\": {\"content\": \"<eos>\"}}");
    try (Tokenizer tokenizer = Tokenizer.load(folder)) {
      int[] ids = tokenizer.encode("River fließt lake<eos>");
      assertArrayEquals(new int[] {4, 5, 2, 1}, ids);
      assertEquals("River fließt <unk>", tokenizer.decode(ids, true));
      assertEquals("River fließt <unk> <eos>", tokenizer.decode(ids, false));
      assertEquals(6, tokenizer.vocabularySize());
      assertEquals(OptionalInt.of(1), tokenizer.eosId());
    }
  }

  @Test
  void replacesLoneSurrogatesAndKeepsTheRest() {
    try (Tokenizer tokenizer = golden("qwen_mini")) {
      for (String lone : List.of("\uD83D", "\uDE42", "\uDE42\uD83D", "\uD83D\uD83D\uDE42")) {
        String text = "a\uD83D\uDE42 " + lone + " 今\u0000z";
        String expected = text.replaceAll("[\uD800-\uDFFF]", "\uFFFD");
        int[] ids = tokenizer.encode(text);
        assertArrayEquals(tokenizer.encode(expected), ids);
        assertEquals(expected, tokenizer.decode(ids, false));
      }
    }
  }

  @Test
  void idsWithoutATokenHaveNoText() {
    try (Tokenizer tokenizer = golden("qwen_mini")) {
      assertEquals("aa", tokenizer.decode(new int[] {64, 151_935, Integer.MAX_VALUE, 64}, true));
      assertEquals("", tokenizer.decode(new int[0], true));
      assertThrows(
          IllegalArgumentException.class, () -> tokenizer.decode(new int[] {64, -1}, true));
    }
  }

  @Test
  void specialTokensMapOverridesOnlyOldConfigs() throws IOException {
    write("tokenizer.json", WORD_LEVEL);
    write("tokenizer_config.json", "{\"eos_token\": \"<pad>\", \"pad_token\": \"<pad>\"}");
    write(
        "special_tokens_map.json",
        "{\"eos_token\": {\"content\": \"<eos>\", \"lstrip\": false}, \"bos_token\": null}");
    assertEquals("<eos>", SpecialTokens.load(folder).eos());
    assertEquals("<pad>", SpecialTokens.load(folder).pad());
    write("tokenizer_config.json", "{\"eos_token\": \"<pad>\", \"added_tokens_decoder\": {}}");
    assertEquals("<pad>", SpecialTokens.load(folder).eos());
    assertNull(SpecialTokens.load(folder).bos());
  }

  @Test
  void manyThreadsShareOneTokenizer() throws Exception {
    Tokenizer tokenizer = golden("qwen_mini");
    String text = "The assistant answers the question in 3 words. 今天 ";
    int[] expected = tokenizer.encode(text);
    ExecutorService pool = Executors.newFixedThreadPool(8);
    try {
      List<Future<?>> calls = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        calls.add(
            pool.submit(
                () -> {
                  for (int round = 0; round < 500; round++) {
                    assertArrayEquals(expected, tokenizer.encode(text));
                    assertEquals(text, tokenizer.decode(expected, false));
                  }
                }));
      }
      for (Future<?> call : calls) {
        call.get();
      }
    } finally {
      pool.shutdownNow();
    }
    tokenizer.close();
    tokenizer.close();
    assertThrows(IllegalStateException.class, () -> tokenizer.encode(text));
  }

  @Test
  void saysWhatIsMissing() {
    DataException e = assertThrows(DataException.class, () -> Tokenizer.load(folder));
    assertTrue(e.getMessage().endsWith("tokenizer.json: not found"), e.getMessage());
    assertTrue(e.remedy().contains("save_pretrained"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{}",
        "{\"model\":",
        "{\"model\": {\"type\": \"WordLevel\", \"vocab\": {}}}",
        "{\"model\": {\"type\": \"WordLevel\", \"vocab\": {\"a\": -1}}}",
        "{\"model\": {\"type\": \"WordLevel\", \"vocab\": {\"a\": \"x\"}}}",
        "{\"model\": {\"type\": \"NoSuchModel\", \"vocab\": {\"a\": 0}}}"
      })
  void refusesAMalformedFile(String json) throws IOException {
    write("tokenizer.json", json);
    DataException e = assertThrows(DataException.class, () -> Tokenizer.load(folder));
    assertTrue(e.getMessage().contains("tokenizer.json"), e.getMessage());
  }

  @Test
  void refusesAnEosTokenThatTheTokenizerDoesNotHave() throws IOException {
    write("tokenizer.json", WORD_LEVEL);
    write("tokenizer_config.json", "{\"eos_token\": \"<unk>\"}");
    DataException e = assertThrows(DataException.class, () -> Tokenizer.load(folder));
    assertTrue(e.getMessage().contains("'<unk>'"), e.getMessage());
    write("tokenizer_config.json", "{\"eos_token\": 7}");
    e = assertThrows(DataException.class, () -> Tokenizer.load(folder));
    assertTrue(e.getMessage().contains("tokenizer_config.json: field 'eos_token'"));
  }

  private static Tokenizer golden(String kind) {
    return Tokenizer.load(SharedData.require("golden/tokenizer/" + kind));
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(folder.resolve(name), text);
  }

  static int[] ints(JsonNode ids) {
    int[] values = new int[ids.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = ids.get(i).asInt();
    }
    return values;
  }
}
