package org.hirengine.engine.runs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.hirengine.engine.runs.RunFolder.Existing;
import org.hirengine.replay.DataException;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.Message;
import org.hirengine.replay.QType;
import org.hirengine.replay.Rewrite;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Verdict;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RolloutDumpTest {

  private static final Instruction INSTRUCTION =
      new Instruction(
          "p-1",
          "write about \"river\"\u2028</script>",
          List.of("Use no comma.", "Use at least 12 words."),
          QType.TYPE3,
          "ifeval",
          List.of(
              new ConstraintSpec("ifeval", "punctuation:no_comma", Map.of()),
              new ConstraintSpec(
                  "ifeval",
                  "length_constraints:number_words",
                  Map.of("relation", "at least", "num_words", 12))),
          "Be brief.",
          List.of(new Message("user", "hi"), new Message("assistant", "hello")),
          Map.of("enable_thinking", false),
          Map.of("source", "type1"));

  @TempDir Path temp;

  @Test
  void everyFieldComesBackBitForBit() {
    Random random = new Random(11);
    List<RolloutRow> rows = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      rows.add(randomRow(random, i));
    }
    Path file = temp.resolve("step-3.jsonl");
    RolloutDump.write(file, 3, rows);
    List<RolloutRow> read = RolloutDump.read(file);
    assertEquals(rows.size(), read.size());
    for (int i = 0; i < rows.size(); i++) {
      assertSame(rows.get(i), read.get(i));
    }
  }

  private static void assertSame(RolloutRow expected, RolloutRow actual) {
    assertEquals(expected.index(), actual.index());
    assertEquals(expected.promptId(), actual.promptId());
    assertEquals(expected.row(), actual.row());
    assertEquals(expected.purpose(), actual.purpose());
    assertEquals(expected.instruction(), actual.instruction());
    assertEquals(expected.replay(), actual.replay());
    assertEquals(expected.prompt(), actual.prompt());
    assertArrayEquals(expected.promptIds(), actual.promptIds());
    assertEquals(expected.response(), actual.response());
    assertArrayEquals(expected.responseIds(), actual.responseIds());
    assertEquals(expected.finishReason(), actual.finishReason());
    assertBits(expected.rolloutLogprobs(), actual.rolloutLogprobs());
    assertBits(expected.oldLogprobs(), actual.oldLogprobs());
    if (expected.refLogprobs() == null) {
      assertNull(actual.refLogprobs());
    } else {
      assertBits(expected.refLogprobs(), actual.refLogprobs());
    }
    assertEquals(expected.judge(), actual.judge());
    assertEquals(expected.reward(), actual.reward());
    assertArrayEquals(expected.advantages(), actual.advantages());
    assertEquals(expected.entropy(), actual.entropy());
    assertEquals(expected.score(), actual.score());
  }

  private static void assertBits(float[] expected, float[] actual) {
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(Float.floatToIntBits(expected[i]), Float.floatToIntBits(actual[i]));
    }
  }

  private static RolloutRow randomRow(Random random, int index) {
    int tokens = random.nextInt(40); // an empty response is a row too
    boolean replay = random.nextBoolean();
    return new RolloutRow(
        index,
        INSTRUCTION.id(),
        random.nextInt(8),
        "train",
        INSTRUCTION,
        replay
            ? new RolloutRow.Replay(
                random.nextInt(index + 1),
                new Rewrite.Rewritten(
                    INSTRUCTION.with(
                        INSTRUCTION.criteria().subList(0, 1),
                        INSTRUCTION.constraints().subList(0, 1)),
                    random.nextInt(3),
                    random.nextInt(3),
                    1))
            : null,
        "<|im_start|>" + text(random),
        random.ints(random.nextInt(20), 0, 151_936).toArray(),
        text(random),
        random.ints(tokens, 0, 151_936).toArray(),
        random.nextBoolean() ? "stop" : "length",
        floats(random, tokens),
        floats(random, tokens),
        random.nextBoolean() ? floats(random, tokens) : null,
        new JudgeList(
            List.of(
                Verdict.satisfied("no comma"),
                random.nextBoolean() ? Verdict.failed("budget spent") : Verdict.none("no judge"))),
        replay ? 1 : 0,
        random.doubles(tokens, -2, 2).map(x -> x > 1.9 ? Double.NaN : x).toArray(),
        random.nextBoolean() ? Double.NaN : random.nextDouble(),
        random.nextBoolean() ? null : random.nextGaussian());
  }

  private static float[] floats(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      float x =
          Float.intBitsToFloat(random.nextInt()); // any exponent, including NaN and subnormals
      values[i] = Float.isNaN(x) ? Float.NaN : x;
    }
    return values;
  }

  /** Any text that a file or a tokenizer may contain: controls, lone surrogates, markup. */
  private static String text(Random random) {
    StringBuilder text = new StringBuilder("</script><!--");
    for (int i = random.nextInt(30); i > 0; i--) {
      text.append((char) random.nextInt(random.nextBoolean() ? 128 : 65536));
    }
    return text.toString();
  }

  @Test
  void linesAreStrictJsonWithTheDocumentedFields() throws IOException {
    Path file = temp.resolve("step-1.jsonl");
    RolloutRow row = randomRow(new Random(2), 0);
    float[] bad = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};
    RolloutDump.write(
        file,
        1,
        List.of(
            new RolloutRow(
                0,
                "p-1",
                4,
                "train",
                INSTRUCTION,
                null,
                "ü",
                new int[] {5},
                "ü",
                new int[] {1, 2, 3},
                "stop",
                bad,
                bad,
                null,
                row.judge(),
                0,
                new double[3],
                1.5,
                2.5)));
    List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
    assertEquals(1, lines.size());
    JsonNode json = new ObjectMapper().readTree(lines.get(0));
    List<String> names = new ArrayList<>();
    json.fieldNames().forEachRemaining(names::add);
    assertEquals(
        List.of(
            "step",
            "index",
            "prompt_id",
            "row",
            "purpose",
            "instruction",
            "replay",
            "prompt",
            "prompt_ids",
            "response",
            "response_ids",
            "finish_reason",
            "logprobs",
            "judge_list",
            "cla",
            "ila",
            "reward",
            "advantages",
            "entropy",
            "score"),
        names);
    assertEquals("[\"nan\",\"inf\",\"-inf\"]", json.at("/logprobs/old").toString());
    assertEquals("ifeval/punctuation:no_comma", json.at("/judge_list/0/constraint").asText());
    assertEquals("satisfied", json.at("/judge_list/0/outcome").asText());
    assertEquals(0.5, json.get("cla").doubleValue());
    assertEquals("type3", json.at("/instruction/q_type").asText());
    assertTrue(lines.get(0).contains("\"ü\""), "readable where UTF-8 can hold it");
  }

  @Test
  void aRowThatDoesNotFitTogetherIsRefused() {
    RolloutRow row = randomRow(new Random(5), 0);
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                new RolloutRow(
                    0,
                    "p",
                    0,
                    "train",
                    INSTRUCTION,
                    null,
                    "",
                    new int[0],
                    "",
                    new int[3],
                    "stop",
                    new float[3],
                    new float[2],
                    null,
                    row.judge(),
                    0,
                    new double[3],
                    0,
                    null));
    assertEquals("2 old log-probs for 3 response tokens", e.getMessage());
  }

  @Test
  void aBrokenDumpNamesLineAndField() throws IOException {
    Path file = temp.resolve("step-1.jsonl");
    RolloutDump.write(file, 1, List.of(randomRow(new Random(1), 0), randomRow(new Random(2), 1)));
    List<String> lines = Files.readAllLines(file);
    Files.writeString(
        file, lines.get(0) + "\n" + lines.get(1).replace("\"entropy\":", "\"entropie\":") + "\n");
    DataException e = assertThrows(DataException.class, () -> RolloutDump.read(file));
    assertTrue(e.getMessage().startsWith(file + ":2: field 'entropy'"), e.getMessage());
    RunException absent =
        assertThrows(RunException.class, () -> RolloutDump.read(temp.resolve("step-2.jsonl")));
    assertTrue(absent.getMessage().contains("no such file"), absent.getMessage());
  }

  @Test
  void aResumedRunHasNoDumpsOfStepsItTakesAgain() throws IOException {
    List<RolloutRow> rows = List.of(randomRow(new Random(1), 0));
    try (RunFolder folder = RunFolder.open(temp.resolve("run"), Existing.REFUSE)) {
      folder.writeConfig("");
      try (RunLog log = new RunLog(folder, 0, true, true)) {
        for (int step : new int[] {1, 2, 10, 11}) {
          log.step(new StepMetrics(step), rows);
        }
      }
    }
    try (RunFolder folder = RunFolder.open(temp.resolve("run"), Existing.RESUME);
        RunLog log = new RunLog(folder, 2, true, false)) {
      assertArrayEquals(new int[] {1, 2}, RolloutDump.steps(folder.rollouts()));
      log.step(new StepMetrics(3), rows);
      assertArrayEquals(new int[] {1, 2, 3}, RolloutDump.steps(folder.rollouts()));
      assertEquals(3, MetricsLog.read(folder.metrics()).size());
    }
    assertArrayEquals(new int[0], RolloutDump.steps(temp.resolve("absent")));
  }
}
