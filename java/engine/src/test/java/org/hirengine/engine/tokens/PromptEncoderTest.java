package org.hirengine.engine.tokens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.Message;
import org.hirengine.replay.QType;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;

final class PromptEncoderTest {

  private static final Instruction ASKED =
      new Instruction(
          "1",
          "Name a colour.",
          List.of("Use one word.", "No comma."),
          QType.TYPE4,
          null,
          List.of(),
          "You are terse.",
          List.of(new Message("user", "Hi"), new Message("assistant", "Hello.")),
          Map.of("enable_thinking", false),
          Map.of());

  @Test
  void encodesSystemHistoryAndPromptText() throws IOException {
    try (Tokenizer tokenizer = tokenizer("qwen_like")) {
      PromptEncoder encoder =
          new PromptEncoder(
              tokenizer, template("qwen3", tokenizer), Map.of("enable_thinking", true));
      String expected =
          """
          <|im_start|>system
          You are terse.<|im_end|>
          <|im_start|>user
          Hi<|im_end|>
          <|im_start|>assistant
          Hello.<|im_end|>
          <|im_start|>user
          Name a colour.

          - Use one word.
          - No comma.<|im_end|>
          <|im_start|>assistant
          """;
      // The instruction's own option wins over the default.
      String thought = "<think>\n\n</think>\n\n";
      assertEquals(expected + thought, encoder.text(ASKED));
      assertArrayEquals(tokenizer.encode(expected + thought), encoder.encode(ASKED));
      Instruction plain = Instruction.of("2", "Hi", List.of(), QType.TYPE1, null, List.of());
      assertEquals("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", encoder.text(plain));
    }
  }

  @Test
  void addsNoSecondBeginOfText() throws IOException {
    try (Tokenizer tokenizer = tokenizer("llama3_like")) {
      PromptEncoder encoder =
          new PromptEncoder(tokenizer, template("llama3_2", tokenizer), Map.of());
      int bos = tokenizer.bosId().orElseThrow();
      int[] ids = encoder.encode(ASKED);
      assertEquals(bos, ids[0]);
      assertTrue(ids[1] != bos);
    }
  }

  @Test
  void findsTheEndOfATurn() throws IOException {
    try (Tokenizer qwen = tokenizer("qwen_like");
        Tokenizer llama = tokenizer("llama3_like")) {
      for (String name : List.of("qwen2_5", "qwen3", "qwen3_instruct_2507")) {
        assertEquals(
            qwen.id("<|im_end|>"),
            new PromptEncoder(qwen, template(name, qwen), Map.of()).endOfTurnId());
      }
      for (String name : List.of("llama3_1", "llama3_2")) {
        assertEquals(
            llama.id("<|eot_id|>"),
            new PromptEncoder(llama, template(name, llama), Map.of()).endOfTurnId());
      }
      ChatTemplate bare =
          ChatTemplate.of(
              "{% for m in messages %}{{ m.content }}\n{% endfor %}", qwen.specialTokens());
      assertEquals(OptionalInt.empty(), new PromptEncoder(qwen, bare, Map.of()).endOfTurnId());
    }
  }

  private static Tokenizer tokenizer(String kind) {
    return Tokenizer.load(SharedData.require("golden/tokenizer/" + kind));
  }

  private static ChatTemplate template(String name, Tokenizer tokenizer) throws IOException {
    String source =
        Files.readString(SharedData.require("golden/tokenizer/templates/" + name + ".jinja"));
    return ChatTemplate.of(source, tokenizer.specialTokens());
  }
}
