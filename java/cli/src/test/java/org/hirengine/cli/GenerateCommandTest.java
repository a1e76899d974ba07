package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenerateCommandTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;
  private Path model;
  private Path in;

  @BeforeEach
  void prepare() throws IOException {
    model = DemoPolicy.in(folder);
    in =
        Files.write(
            folder.resolve("in.jsonl"),
            List.of(
                "{\"prompt\": \"Say hello.\", \"note\": [1, null]}",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"Count.\"}]}",
                "{\"question\": \"Write.\", \"criteria\": [\"No commas.\"], \"q_type\": \"type3\","
                    + " \"bench\": \"ifeval\", \"instruction_id_list\": [\"punctuation:no_comma\"],"
                    + " \"kwargs\": [{}], \"chat_template_kwargs\": {\"enable_thinking\":"
                    + " false}}"));
  }

  @Test
  void aLineForEachResponseKeepsItsFields() throws IOException {
    List<JsonNode> rows = generate("--n", 3, "--max-tokens", 12, "--seed", 5);
    assertEquals(9, rows.size());
    for (int i = 0; i < 9; i++) {
      JsonNode row = rows.get(i);
      assertEquals(
          List.of(true, false, true).get(i / 3), row.has("prompt"), "in the order of the prompts");
      int tokens = row.get("token_ids").size();
      assertTrue(tokens >= 1 && tokens <= 12);
      assertEquals(tokens, row.get("logprobs").size());
      row.get("logprobs").forEach(p -> assertTrue(p.asDouble() <= 0 && p.asDouble() > -100));
      assertEquals(
          tokens < 12 ? "stop" : row.get("finish_reason").asText(),
          row.get("finish_reason").asText());
      assertTrue(row.get("response").isTextual());
    }
    assertEquals("[1,null]", rows.get(0).get("note").toString());
    assertTrue(
        rows.get(8).get("prompt").asText().matches("(?s)Write\\.\\s.*\\sNo commas\\."),
        "what an instruction asked is written out");
    assertEquals("punctuation:no_comma", rows.get(8).at("/instruction_id_list/0").asText());
    assertNotEquals(rows.get(0).get("token_ids"), rows.get(1).get("token_ids"));
  }

  @Test
  void aFullDiskIsSaidToBeFull() throws IOException {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "no /dev/full here");
    HirConsole run =
        HirConsole.run("generate", "--model", model, "--in", in, "--out", full, "--threads", 1)
            .failsWith(1, "No space left on device");
    assertTrue(run.err().contains("hint: free disk space"), run.err());
  }

  @Test
  void theSeedDecides() throws IOException {
    List<JsonNode> first = generate("--n", 2, "--max-tokens", 10, "--seed", 5);
    assertEquals(first, generate("--n", 2, "--max-tokens", 10, "--seed", 5));
    assertNotEquals(first, generate("--n", 2, "--max-tokens", 10, "--seed", 6));
    assertEquals(
        generate("--temperature", 0, "--max-tokens", 10, "--seed", 1),
        generate("--temperature", 0, "--max-tokens", 10, "--seed", 2),
        "greedy");
  }

  /** Scoring sees the sampled tokens under the same prompt. */
  @Test
  void scoringFindsTheLogProbsOfSampling() throws IOException {
    Path responses = folder.resolve("out.jsonl");
    for (double temperature : new double[] {1, 0.6}) {
      List<JsonNode> rows = generate("--n", 2, "--max-tokens", 16, "--temperature", temperature);
      Path scored = folder.resolve("scored.jsonl");
      HirConsole.run(
              "score",
              "--model",
              model,
              "--in",
              responses,
              "--out",
              scored,
              "--temperature",
              temperature,
              "--threads",
              1)
          .succeeds();
      List<String> lines = Files.readAllLines(scored);
      assertEquals(rows.size(), lines.size());
      for (int i = 0; i < rows.size(); i++) {
        JsonNode sampled = rows.get(i).get("logprobs");
        JsonNode again = JSON.readTree(lines.get(i)).get("logprobs");
        assertEquals(sampled.size(), again.size());
        for (int t = 0; t < sampled.size(); t++) {
          assertEquals(sampled.get(t).asDouble(), again.get(t).asDouble(), 1e-4);
        }
      }
    }
  }

  /** Streamed output equals what --in and --out write for the same prompt. */
  @Test
  void aPromptOnTheCommandLineIsAnsweredThere() throws IOException {
    Files.writeString(in, "{\"prompt\": \"Describe the river, it's \u00bbdeep\u00ab.\"}");
    for (int tokens : new int[] {5, 60}) {
      List<JsonNode> rows = generate("--n", 2, "--max-tokens", tokens, "--seed", 3);
      HirConsole run =
          HirConsole.run(
                  "generate",
                  "--model",
                  model,
                  "--prompt",
                  "Describe the river, it's \u00bbdeep\u00ab.",
                  "--n",
                  2,
                  "--max-tokens",
                  tokens,
                  "--seed",
                  3,
                  "--threads",
                  1)
              .succeeds();
      assertEquals(
          rows.get(0).get("response").asText()
              + System.lineSeparator().repeat(2)
              + rows.get(1).get("response").asText()
              + System.lineSeparator(),
          run.out());
      assertTrue(run.err().contains("responses 2, tokens "), run.err());
      assertEquals(
          rows.stream().filter(row -> row.get("finish_reason").asText().equals("length")).count(),
          run.err().lines().filter(line -> line.startsWith("stopped after " + tokens)).count());
    }
    HirConsole.run("generate", "--model", model, "--prompt", "a b ".repeat(2000))
        .failsWith(1, "the prompt has 4003 tokens, which leaves no room for 1 new ones");
    HirConsole.run("generate", "--model", model, "--prompt", "a", "--resume")
        .failsWith(2, "--resume needs --in and --out");
    HirConsole.run("generate", "--model", model, "--prompt", "a", "--in", in, "--out", "-")
        .failsWith(2, "mutually exclusive");
    HirConsole.run("generate", "--model", model).failsWith(2, "Missing required");
  }

  @Test
  void aPromptWithoutRoomIsSkippedAndCounted() throws IOException {
    Files.write(
        in,
        List.of(
            "{\"id\": \"long\", \"prompt\": \"" + "a b c ".repeat(300) + "\"}",
            "{\"id\": \"short\", \"prompt\": \"a\"}"));
    Path out = folder.resolve("out.jsonl");
    HirConsole run =
        HirConsole.run(
                "generate",
                "--model",
                model,
                "--in",
                in,
                "--out",
                out,
                "--max-tokens",
                4,
                "--threads",
                1)
            .succeeds();
    assertTrue(run.err().contains("skipped: prompt long has "), run.err());
    assertTrue(run.out().contains("skipped prompts 1"), run.out());
    List<String> lines = Files.readAllLines(out);
    assertEquals(1, lines.size());
    assertEquals("short", JSON.readTree(lines.get(0)).get("id").asText());
  }

  @Test
  void wrongRequestsAreNamed() throws IOException {
    Path out = folder.resolve("out.jsonl");
    HirConsole.run("generate", "--model", model, "--in", in, "--out", out, "--n", 0)
        .failsWith(2, "--n must be at least 1");
    HirConsole.run("generate", "--model", model, "--in", in, "--out", out, "--max-tokens", 0)
        .failsWith(1, "--max-tokens 0 is below 1");
    HirConsole.run("generate", "--model", model, "--in", in, "--out", out, "--top-p", 2)
        .failsWith(1, "topP must be above 0");
    HirConsole.run("generate", "--model", model, "--in", in, "--out", out, "--device", "abacus")
        .failsWith(2, "abacus");
    Files.writeString(in, "\n");
    HirConsole.run("generate", "--model", model, "--in", in, "--out", out)
        .failsWith(1, in + ": holds no rows");
    Files.delete(model.resolve("tokenizer.json"));
    Files.writeString(in, "{\"prompt\": \"a\"}");
    HirConsole.run("generate", "--model", model, "--in", in, "--out", out)
        .failsWith(1, "tokenizer.json");
    assertTrue(Files.notExists(out));
  }

  private List<JsonNode> generate(Object... options) throws IOException {
    Path out = folder.resolve("out.jsonl");
    List<Object> words =
        new ArrayList<>(
            List.of("generate", "--model", model, "--in", in, "--out", out, "--threads", 1));
    words.addAll(List.of(options));
    HirConsole.run(words.toArray()).succeeds();
    List<JsonNode> rows = new ArrayList<>();
    for (String line : Files.readAllLines(out)) {
      rows.add(JSON.readTree(line));
    }
    return rows;
  }
}
