package org.hirengine.engine.experience;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.rollout.Completion;
import org.hirengine.engine.rollout.Completion.FinishReason;
import org.hirengine.engine.tokens.Tokenizer;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.QType;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifiers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which part of a response is verified, and how strictly. */
class VerificationTest {

  private static final List<String> WORDS =
      List.of("<|end|>", "<think>", "</think>", "use", "no", "comma", "sun", ",", "*", "moon");

  private static final Instruction TWO =
      instruction(
          new ConstraintSpec("ifeval", "punctuation:no_comma", Map.of()),
          new ConstraintSpec("ifeval", "startend:end_checker", Map.of("end_phrase", "the sun")),
          new ConstraintSpec("ifeval", "keywords:existence", Map.of("keywords", List.of("moon"))));

  @TempDir Path folder;
  private Tokenizer tokenizer;

  private static Instruction instruction(ConstraintSpec... constraints) {
    List<String> sentences = Arrays.stream(constraints).map(ConstraintSpec::id).toList();
    return Instruction.of("x", "write", sentences, QType.TYPE1, "ifeval", List.of(constraints));
  }

  @BeforeEach
  void wordTokenizer() throws IOException {
    ObjectNode tokenizerJson = new ObjectMapper().createObjectNode();
    List<String> all = new ArrayList<>(WORDS);
    all.add("the");
    tokenizerJson
        .putArray("added_tokens")
        .addObject()
        .put("id", 0)
        .put("content", WORDS.get(0))
        .put("single_word", false)
        .put("lstrip", false)
        .put("rstrip", false)
        .put("normalized", false)
        .put("special", true);
    tokenizerJson.putObject("pre_tokenizer").put("type", "WhitespaceSplit");
    ObjectNode model = tokenizerJson.putObject("model").put("type", "WordLevel");
    ObjectNode vocabulary = model.putObject("vocab");
    all.forEach(word -> vocabulary.put(word, vocabulary.size()));
    model.put("unk_token", WORDS.get(0));
    Files.writeString(folder.resolve("tokenizer.json"), tokenizerJson.toString());
    tokenizer = Tokenizer.load(folder);
  }

  @AfterEach
  void closeTokenizer() {
    tokenizer.close();
  }

  /** Verdicts for three constraints: no comma, ends with "the sun", includes "moon". */
  private List<Boolean> judge(String words, FinishReason end, String... settings) throws Exception {
    return judges(words, end, TWO, settings).verdicts().stream().map(Verdict::satisfied).toList();
  }

  private JudgeList judges(
      String words, FinishReason end, Instruction instruction, String... settings)
      throws Exception {
    List<String> all = new ArrayList<>(List.of("model=m", "data.train=d", "out=o"));
    all.addAll(List.of(settings));
    int[] ids = tokenizer.encode(words);
    Completion completion = new Completion(0, 0, ids, new float[ids.length], null, end);
    try (Verification verification =
        new Verification(Verifiers.standard(), tokenizer, TrainConfig.of(all), 1)) {
      return verification.submit(completion, instruction).get().judges();
    }
  }

  @Test
  void thinkingIsLeftOutOfTheVerdictWhereAsked() throws Exception {
    String thought = "<think> use moon , no comma </think> use the sun <|end|>";
    String strip = "verify.strip_thinking=true";
    assertEquals(List.of(false, true, true), judge(thought, FinishReason.STOP));
    assertEquals(List.of(true, true, false), judge(thought, FinishReason.STOP, strip));
    // up to the last end of thinking
    assertEquals(
        List.of(true, true, false), judge("moon , </think> " + thought, FinishReason.STOP, strip));
    // thinking that never ended is verified as it is
    String endless = "<think> use moon , the sun";
    assertEquals(List.of(false, true, true), judge(endless, FinishReason.LENGTH, strip));
    // an empty response satisfies nothing
    assertEquals(
        List.of(false, false, false), judge("moon </think> <|end|>", FinishReason.STOP, strip));
  }

  @Test
  void looseVerdictsForgiveMarkup() throws Exception {
    assertEquals(List.of(true, false, true), judge("moon the sun *", FinishReason.LENGTH));
    assertEquals(
        List.of(true, true, true),
        judge("moon the sun *", FinishReason.LENGTH, "reward.mode=loose"));
    assertEquals(
        List.of(false, true, true),
        judge("moon , the sun *", FinishReason.LENGTH, "reward.mode=loose"));
  }

  /**
   * No verifier knows the second constraint: it is neither satisfied nor violated, and the row is
   * undecided.
   */
  @Test
  void anUnknownConstraintHasNoVerdict() throws Exception {
    Instruction unknown =
        instruction(
            new ConstraintSpec("ifeval", "punctuation:no_comma", Map.of()),
            new ConstraintSpec("ifeval", "no:such", Map.of()));
    JudgeList judges = judges("the sun", FinishReason.LENGTH, unknown);
    assertEquals(List.of(true, false), judges.verdicts().stream().map(Verdict::decided).toList());
    assertEquals(false, judges.decided());
    assertEquals(false, judges.ila());
  }
}
