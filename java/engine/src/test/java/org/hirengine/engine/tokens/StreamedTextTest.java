package org.hirengine.engine.tokens;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class StreamedTextTest {

  @ParameterizedTest
  @ValueSource(strings = {"qwen_mini", "llama3_mini", "qwen_like", "llama3_like"})
  void piecesJoinUpToTheWholeText(String kind) throws IOException {
    Path folder = SharedData.require("golden/tokenizer/" + kind);
    int emptyPieces = 0;
    try (Tokenizer tokenizer = Tokenizer.load(folder)) {
      for (JsonNode row :
          SharedData.json("golden/tokenizer/" + kind + "/encode.json").get("cases")) {
        emptyPieces += check(tokenizer, tokenizer.encode(row.get("text").asText()), false);
      }
      // Random tokens, some of them broken bytes, as a model writes early in training.
      Random random = new Random(7);
      for (int i = 0; i < 300; i++) {
        int[] ids = new int[1 + random.nextInt(30)];
        for (int t = 0; t < ids.length; t++) {
          ids[t] =
              random.nextBoolean()
                  ? random.nextInt(tokenizer.vocabularySize())
                  : random.nextInt(256);
        }
        check(tokenizer, ids, true);
      }
      // Letters of four bytes, most of which need several tokens.
      emptyPieces += check(tokenizer, tokenizer.encode("a𝔘b👩‍👩‍👧‍👦 שלום 漢字𠀋é"), false);
    }
    assertTrue(emptyPieces > 0, "no character was cut by tokens");
  }

  /** Returns the number of tokens that ended inside a character. */
  private static int check(Tokenizer tokenizer, int[] ids, boolean broken) {
    StreamedText text = new StreamedText(tokenizer);
    StringBuilder joined = new StringBuilder();
    int empty = 0;
    for (int id : ids) {
      String piece = text.add(id);
      assertFalse(piece.endsWith("\uFFFD"), "half a character");
      assertEquals(0, piece.isEmpty() ? 0 : Character.isLowSurrogate(piece.charAt(0)) ? 1 : 0);
      empty += piece.isEmpty() ? 1 : 0;
      joined.append(piece);
    }
    String whole = tokenizer.decode(ids, true);
    assertTrue(whole.startsWith(joined.toString()));
    String rest = text.end();
    assertTrue(broken || rest.isEmpty() || whole.endsWith("\uFFFD"), rest);
    assertEquals(whole, joined + rest);
    return empty;
  }
}
