package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Bad lines in every command that reads lines: by default the first one ends the command, with
 * {@code --skip-bad} all are set aside.
 */
class SkipBadTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TORN = "{\"id\": \"torn";

  @TempDir Path folder;

  /**
   * A command that reads and writes lines.
   *
   * @param good a line that it can use
   * @param bad a line that it cannot use, though it is JSON
   * @param field the bad line's wrong field
   */
  private record Case(String command, boolean needsModel, String good, String bad, String field) {

    @Override
    public String toString() {
      return command;
    }
  }

  static List<Case> commands() {
    String verified =
        "{\"bench\": \"ifeval\", \"instruction_id_list\": [\"punctuation:no_comma\"],"
            + " \"kwargs\": [{}], \"response\": \"a\"}";
    String judged =
        "{\"question\": \"Q\", \"criteria\": [\"A.\"], \"q_type\": \"type1\", \"judge_list\":"
            + " [true]}";
    return List.of(
        new Case("verify", false, verified, verified.replace("[{}]", "[]"), "kwargs"),
        new Case("rewrite", false, judged, judged.replace("true", "7"), "judge_list"),
        new Case("generate", true, "{\"prompt\": \"a\"}", "{\"prompt\": 3}", "prompt"),
        new Case(
            "score",
            true,
            "{\"input_ids\": [1, 2], \"response_start\": 1}",
            "{\"input_ids\": [1, 2], \"response_start\": 9}",
            "response_start"));
  }

  private HirConsole run(Case c, Path in, Object out, Object... options) throws IOException {
    List<Object> words = new ArrayList<>(List.of(c.command, "--in", in, "--out", out));
    if (c.needsModel) {
      Path model = folder.resolve("model");
      words.addAll(List.of("--threads", 1, "--model"));
      words.add(Files.exists(model) ? model : DemoPolicy.in(folder));
    }
    words.addAll(List.of(options));
    return HirConsole.run(words.toArray());
  }

  @ParameterizedTest
  @MethodSource("commands")
  void linesForLines(Case c) throws IOException {
    Path in =
        Files.write(folder.resolve("in.jsonl"), List.of(c.good, c.bad, "", TORN, "[1]", c.good));
    Path out = folder.resolve("out.jsonl");
    run(c, in, out).failsWith(1, in + ":2: field '" + c.field + "'");
    assertTrue(Files.notExists(out));

    HirConsole skipped = run(c, in, out, "--skip-bad", "--json").succeeds();
    assertEquals(3, JSON.readTree(skipped.out()).get("bad_rows").asInt(), skipped.out());
    assertEquals(2, Files.readAllLines(out).size());
    Path aside = folder.resolve("out.jsonl.bad.jsonl");
    assertAside(aside, in, List.of(2, 4, 5), List.of(c.bad, TORN, "[1]"));

    Path named = folder.resolve("named.jsonl");
    run(c, in, out, "--skip-bad=" + named).succeeds();
    assertEquals(Files.readString(aside), Files.readString(named));
    run(c, in, "-", "--skip-bad").failsWith(1, "--skip-bad needs a file");

    Files.delete(out);
    Files.write(in, List.of(c.bad, TORN));
    run(c, in, out, "--skip-bad").failsWith(1, "holds no good row; the first: " + in + ":1");
    assertTrue(Files.notExists(out));
  }

  private static void assertAside(Path file, Path in, List<Integer> lines, List<String> texts)
      throws IOException {
    List<String> rows = Files.readAllLines(file);
    assertEquals(lines.size(), rows.size(), rows::toString);
    for (int i = 0; i < rows.size(); i++) {
      JsonNode row = JSON.readTree(rows.get(i));
      assertEquals(in.toString(), row.get("file").asText());
      assertEquals(lines.get(i), row.get("line").asInt());
      assertEquals(texts.get(i), row.get("text").asText());
      String reason = row.get("reason").asText();
      assertTrue(reason.startsWith(in + ":" + lines.get(i) + ": "), reason);
      assertTrue(row.get("remedy").asText().length() > 10, row.toString());
    }
  }

  @Test
  void trainingAndHeldOutData() throws IOException {
    DemoPolicy.in(folder);
    String free = "{\"question\": \"write\", \"criteria\": [], \"q_type\": \"type1\"}";
    Path train = folder.resolve("train.jsonl");
    List<String> good = DemoPolicy.requests("med/train.jsonl", 4);
    Files.write(train, List.of(good.get(0), free, good.get(1), TORN));
    Path eval = folder.resolve("eval.jsonl");
    Files.write(eval, List.of(TORN, good.get(2), good.get(3)));
    Path config =
        Files.writeString(
            folder.resolve("config.yaml"),
            """
            model: model
            out: run
            threads: 1
            data: {train: train.jsonl, eval: eval.jsonl}
            train: {steps: 1, prompts: 2, group: 3}
            replay: {sampled: 2}
            limits: {prompt: 96, response: 8}
            """);
    HirConsole.run("train", config)
        .failsWith(1, train + ":2: field 'instruction_id_list': is missing or empty");
    HirConsole run = HirConsole.run("train", config, "--skip-bad").succeeds();
    Path aside = folder.resolve("run/bad_rows.jsonl");
    assertTrue(run.err().contains("3 lines of data were left out, with reasons in " + aside));
    assertTrue(run.err().contains("rows: 2 (engine 2), bad: 2"), run.err());
    List<String> rows = Files.readAllLines(aside);
    assertEquals(3, rows.size());
    assertEquals(eval.toString(), JSON.readTree(rows.get(2)).get("file").asText());
    Files.write(train, List.of(free, TORN));
    assertAside(
        Files.write(folder.resolve("of-train.jsonl"), rows.subList(0, 2)),
        train,
        List.of(2, 4),
        List.of(free, TORN));
    HirConsole.run("train", config, "--skip-bad", "--overwrite")
        .failsWith(1, train + ": holds no good row");
  }

  @Test
  void pairs() throws IOException {
    DemoPolicy.in(folder);
    Path data = folder.resolve("pairs.jsonl");
    String mute = "{\"prompt\": \"write about river\"}";
    Files.write(
        data, List.of("{\"prompt\": \"write about river\", \"response\": \"river\"}", mute, TORN));
    Path out = folder.resolve("trained");
    Object[] words = {"sft", folder.resolve("sft.yaml"), "steps=1"};
    Files.writeString(
        folder.resolve("sft.yaml"), "model: model\ndata: pairs.jsonl\nout: trained\nthreads: 1\n");
    HirConsole.run(words).failsWith(1, data + ":2: field 'response': is missing");
    assertTrue(Files.notExists(out));
    HirConsole run = HirConsole.run("sft", words[1], words[2], "--skip-bad").succeeds();
    assertTrue(run.err().contains("1 pairs, 0 left out as too long, 2 that cannot be used"));
    assertAside(out.resolve("bad_rows.jsonl"), data, List.of(2, 3), List.of(mute, TORN));
  }
}
