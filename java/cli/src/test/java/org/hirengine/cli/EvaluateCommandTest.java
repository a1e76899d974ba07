package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.hirengine.testing.SharedData;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.Verifiers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluateCommandTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  @Test
  void whatCannotBeCheckedIsToldOnceForEachKind() throws IOException {
    Path responses = folder.resolve("r.jsonl");
    String bad =
        "{\"id\": \"%d\", \"prompt\": \"p%1$d\", \"response\": \"r\", \"bench\": \"ifeval\","
            + " \"instruction_id_list\": [\"length_constraints:number_words\"], \"kwargs\":"
            + " [{\"num_words\": \"40\", \"relation\": \"at least\"}]}";
    Files.write(responses, List.of(bad.formatted(1), bad.formatted(2)));
    HirConsole.run("evaluate", "--bench", "ifeval", "--responses", responses)
        .failsWith(
            1, "no constraint can be checked: 2 constraints with kwargs that cannot be used");
    Files.write(
        responses,
        List.of(bad.formatted(1), bad.formatted(2), bad.formatted(3).replace("\"40\"", "1")));
    HirConsole run =
        HirConsole.run("evaluate", "--bench", "ifeval", "--responses", responses).succeeds();
    assertEquals(
        List.of(
            "warning: 2 constraints with kwargs that cannot be used in 2 rows, the first: row '1',"
                + " constraint 1 (length_constraints:number_words): kwarg 'num_words' must be a"
                + " whole number from 0, not the string '40'"),
        run.err().lines().toList());
  }

  /**
   * The published responses under our verifiers, compared with the reference's tables. Verdicts
   * that the reference draws at random may differ, and 1 in 100 language identifications.
   */
  @Test
  void ifEvalEqualsTheOfficialTables() throws IOException {
    Path responses = SharedData.require("conformance/ifeval.real.jsonl.gz");
    JsonNode official = SharedData.json("conformance/scores.json");
    Map<String, Integer> random = randomVerdicts(responses);
    HirConsole run =
        HirConsole.run(
                "evaluate",
                "--bench",
                "ifeval",
                "--responses",
                responses,
                "--by",
                "source",
                "--text-data",
                textData(),
                "--json")
            .succeeds();
    Set<String> known = new HashSet<>();
    Verifiers.standard().types("ifeval").stream().map(ConstraintType::id).forEach(known::add);
    JsonNode groups = JSON.readTree(run.out()).get("groups");
    assertEquals(3, groups.size());
    for (Map.Entry<String, JsonNode> group : groups.properties()) {
      JsonNode expected = official.get("ifeval|" + group.getKey());
      assertEquals(expected.get("prompts"), group.getValue().get("prompts"));
      assertEquals(expected.get("instructions"), group.getValue().get("instructions"));
      for (String mode : List.of("strict", "loose")) {
        for (Map.Entry<String, JsonNode> tier : expected.get(mode + "_tiers").properties()) {
          String id = tier.getKey();
          if (!known.contains(id)) {
            continue;
          }
          String[] fraction = tier.getValue().asText().split("/", 2);
          String[] ours = group.getValue().get(mode + "_tiers").get(id).asText().split("/", 2);
          int difference = Math.abs(Integer.parseInt(fraction[0]) - Integer.parseInt(ours[0]));
          int allowed = random.getOrDefault(group.getKey() + id, 0) + (language(id) ? 1 : 0);
          assertEquals(fraction[1], ours[1], id);
          assertTrue(
              difference <= allowed,
              "%s %s %s: official %s, ours %s, allowed difference %d"
                  .formatted(group.getKey(), mode, id, tier.getValue(), List.of(ours), allowed));
          SharedData.counted("scores (command)", 1);
        }
      }
    }
  }

  private static boolean language(String id) {
    return id.startsWith("language:") || id.startsWith("change_case:english_");
  }

  /**
   * The number of verdicts of each source and type that depend on a random choice of the reference.
   */
  private static Map<String, Integer> randomVerdicts(Path file) throws IOException {
    Map<String, Integer> counts = new HashMap<>();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(file)), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        JsonNode row = JSON.readTree(line);
        for (JsonNode index : row.path("nondet")) {
          String id = row.get("instruction_id_list").get(index.asInt()).asText();
          counts.merge(row.get("source").asText() + id, 1, Integer::sum);
        }
      }
    }
    return counts;
  }

  /** Lays the shared Punkt parameters out as NLTK does. */
  private Path textData() throws IOException {
    Path shared = SharedData.require("conformance/punkt_tab/english");
    Path own = Files.createDirectories(folder.resolve("text/tokenizers/punkt_tab/english"));
    try (Stream<Path> files = Files.list(shared)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.copy(file, own.resolve(file.getFileName()));
      }
    }
    return folder.resolve("text");
  }

  @Test
  void mulDimIfEqualsTheOfficialTables() throws IOException {
    Path responses = SharedData.require("conformance/muldimif.synthetic.jsonl.gz");
    JsonNode official = SharedData.json("conformance/muldimif_scores.json");
    Object[] command = {
      "evaluate",
      "--bench",
      "muldimif",
      "--responses",
      responses,
      "--by",
      "source",
      "--text-data",
      textData(),
      "--json"
    };
    JsonNode groups = JSON.readTree(HirConsole.run(command).succeeds().out()).get("groups");
    assertEquals(official.size(), groups.size());
    for (Map.Entry<String, JsonNode> source : official.properties()) {
      JsonNode ours = groups.get(source.getKey());
      assertEquals(source.getValue().get("Overall"), ours.get("Overall"));
      for (Map.Entry<String, JsonNode> table : source.getValue().properties()) {
        for (Map.Entry<String, JsonNode> row : table.getValue().properties()) {
          assertEquals(row.getValue(), ours.get(table.getKey()).get(row.getKey()), row.getKey());
          SharedData.counted("scores (command)", 1);
        }
      }
    }
    command[command.length - 1] = "--markdown";
    String markdown = HirConsole.run(command).succeeds().out();
    assertTrue(markdown.contains("| Overall | 0.6572 (531/808) |"), markdown);
    assertTrue(markdown.contains("| Length_Words | 0.4953 (209/422) |"), markdown);
  }

  @Test
  void joinsResponsesToTheBenchmarksData() throws IOException {
    Path data =
        write(
            "data.jsonl",
            "{\"key\": 1, \"prompt\": \"A\", \"instruction_id_list\": [\"punctuation:no_comma\"],"
                + " \"kwargs\": [{}]}",
            "{\"key\": 2, \"prompt\": \"B\", \"instruction_id_list\": [\"punctuation:no_comma\","
                + " \"detectable_format:title\"], \"kwargs\": [{}, {}]}");
    Path responses =
        write(
            "responses.jsonl",
            "{\"prompt\": \"A\", \"response\": \"no comma\", \"model\": \"x\"}",
            "{\"prompt\": \"B\", \"response\": \"one, two <<t>>\", \"model\": \"x\"}",
            "{\"prompt\": \" A \", \"response\": \"no comma\", \"model\": \"y\"}");
    HirConsole run =
        HirConsole.run(
                "evaluate",
                "--bench",
                "ifeval",
                "--responses",
                responses,
                "--data",
                data,
                "--by",
                "model",
                "--json")
            .succeeds();
    JsonNode groups = JSON.readTree(run.out()).get("groups");
    assertEquals(0.5, groups.at("/x/strict_prompt").asDouble());
    assertEquals("1/2", groups.at("/x/strict_tiers/punctuation").asText());
    assertEquals("1/1", groups.at("/x/strict_tiers/detectable_format:title").asText());
    assertEquals(2, groups.at("/y/prompts").asInt(), "an unanswered prompt is not followed");
    assertEquals("0/1", groups.at("/y/strict_tiers/detectable_format").asText());

    HirConsole markdown =
        HirConsole.run(
                "evaluate",
                "--bench",
                "ifeval",
                "--responses",
                responses,
                "--data",
                data,
                "--markdown")
            .succeeds();
    assertTrue(
        markdown.out().contains("| prompt-level | 0.5000 (1/2) | 0.5000 (1/2) |"), markdown.out());
    assertTrue(markdown.err().contains("warning: 1 responses are left out because a later line"));
  }

  /**
   * As in both revisions of IFBench's reference: responses to unknown prompts are ignored, the last
   * response to a prompt counts, and white space around a prompt does not matter.
   */
  @Test
  void answersAreJoinedAsTheReferenceJoinsThem() throws IOException {
    String row =
        "{\"key\": \"%s\", \"prompt\": \"%s\", \"instruction_id_list\":"
            + " [\"count:word_count_range\"], \"kwargs\": [{\"min_words\": %d, \"max_words\":"
            + " %d}]}";
    Path data =
        write(
            "data.jsonl",
            row.formatted("1", "A ", 1, 1),
            row.formatted("2", "\u00a0B\\n", 2, 2),
            row.formatted("3", "C", 3, 3),
            row.formatted("4", "C", 4, 4),
            row.formatted("5", "D", 5, 5));
    Path responses =
        write(
            "responses.jsonl",
            "{\"prompt\": \"never asked\", \"response\": \"one\"}",
            "{\"prompt\": \"A\", \"response\": \"one\"}",
            "{\"prompt\": \"B\", \"response\": \"not this one\"}",
            "{\"prompt\": \"B \", \"response\": \"one two\"}",
            "{\"prompt\": \"C\", \"response\": \"one two three\"}",
            "{\"prompt\": \"\", \"response\": \"x\"}");
    for (String bench : List.of("ifbench", "ifbench-r2")) {
      Path out = folder.resolve("rows.jsonl");
      HirConsole run =
          HirConsole.run(
                  "evaluate",
                  "--bench",
                  bench,
                  "--responses",
                  responses,
                  "--data",
                  data,
                  "--json",
                  "--out",
                  out,
                  "--reasons")
              .succeeds();
      JsonNode report = JSON.readTree(run.out());
      assertEquals(2, report.get("not_asked_for").asInt());
      assertEquals(1, report.get("answered_again").asInt());
      assertEquals(1, report.get("not_answered").asInt());
      assertEquals(5, report.at("/groups/all/prompts").asInt());
      assertEquals("3/5", report.at("/groups/all/strict_tiers/count").asText());
      assertTrue(
          run.err()
              .contains(
                  "warning: 2 responses answer no prompt of "
                      + data
                      + " and are left out, the first in line 1"),
          run.err());
      assertEquals(3, run.err().lines().count(), run.err());
      List<String> rows = Files.readAllLines(out);
      assertEquals(5, rows.size());
      assertEquals("[false]", JSON.readTree(rows.get(3)).get("strict").toString(), "4 words asked");
      assertEquals("4", JSON.readTree(rows.get(3)).get("key").asText());
      assertTrue(JSON.readTree(rows.get(3)).at("/reasons/0").asText().contains("3"));
      assertEquals("", JSON.readTree(rows.get(4)).get("response").asText());
    }
  }

  /** The output of generate can be scored against the data, whatever the layout of its rows. */
  @Test
  void responsesOfGenerateAreJoined() throws IOException {
    Path model = DemoPolicy.in(folder);
    String constraints =
        "\"bench\": \"ifeval\", \"instruction_id_list\": [\"punctuation:no_comma\"], \"kwargs\":"
            + " [{}]}";
    Path data =
        write(
            "data.jsonl",
            "{\"id\": \"a\", \"question\": \"Say X.\", \"criteria\": [\"No commas.\"], "
                + constraints,
            "{\"messages\": [{\"role\": \"user\", \"content\": \"Say Y.\"}], " + constraints,
            "{\"id\": 7, \"prompt\": \"Say Z.\", " + constraints);
    Path given = folder.resolve("responses.jsonl");
    HirConsole.run("generate", "--model", model, "--in", data, "--out", given, "--max-tokens", 8)
        .succeeds();
    List<String> ids = new ArrayList<>();
    List<String> bare = new ArrayList<>();
    for (String line : Files.readAllLines(given)) {
      ObjectNode row = (ObjectNode) JSON.readTree(line);
      bare.add(row.deepCopy().without(List.of("instruction_id_list", "kwargs")).toString());
      ids.add("{\"id\": \"" + row.path("id").asText("2") + "\", \"response\": \"a\"}");
    }
    for (List<String> rows : List.of(bare, ids)) {
      Path responses = Files.write(folder.resolve("r.jsonl"), rows);
      HirConsole run =
          HirConsole.run(
                  "evaluate",
                  "--bench",
                  "ifeval",
                  "--responses",
                  responses,
                  "--data",
                  data,
                  "--json")
              .succeeds();
      assertEquals("", run.err());
      assertEquals(3, JSON.readTree(run.out()).at("/groups/all/prompts").asInt());
    }
    Path twice =
        write(
            "twice.jsonl",
            "{\"id\": \"7\", \"prompt\": \"A\", " + constraints,
            "{\"id\": \"7\", \"prompt\": \"B\", " + constraints);
    Path responses = write("r.jsonl", "{\"id\": \"7\", \"response\": \"a\"}");
    HirConsole.run("evaluate", "--bench", "ifeval", "--responses", responses, "--data", twice)
        .failsWith(1, "field 'id': '7' occurs in more than one row");
  }

  @Test
  void thinkingIsStrippedOnDemand() throws IOException {
    Path responses =
        write(
            "r.jsonl",
            "{\"prompt\": \"A\", \"response\": \"<think>a, b</think>no\","
                + " \"instruction_id_list\": [\"punctuation:no_comma\"], \"kwargs\": [{}]}");
    for (boolean strip : new boolean[] {false, true}) {
      List<Object> words =
          new ArrayList<>(
              List.of("evaluate", "--bench", "ifeval", "--responses", responses, "--json"));
      if (strip) {
        words.add("--strip-thinking");
      }
      JsonNode report = JSON.readTree(HirConsole.run(words.toArray()).succeeds().out());
      assertEquals(strip ? 1 : 0, report.at("/groups/all/strict_prompt").asDouble());
    }
  }

  /** A model's table equals that of the responses from hir generate to the same prompts. */
  @Test
  void aModelIsScoredByItsOwnResponses() throws IOException {
    Path model = DemoPolicy.in(folder);
    String row =
        "{\"prompt\": \"Say X.\", \"bench\": \"ifeval\", \"instruction_id_list\":"
            + " [\"punctuation:no_comma\", \"detectable_format:title\"], \"kwargs\": [{}, {}]}";
    Path data = write("data.jsonl", row, row.replace("X", "Y"), row.replace("X", "Z"));
    Path responses = folder.resolve("responses.jsonl");
    HirConsole.run(
            "generate",
            "--model",
            model,
            "--in",
            data,
            "--out",
            responses,
            "--temperature",
            0,
            "--max-tokens",
            12,
            "--threads",
            1)
        .succeeds();
    HirConsole given =
        HirConsole.run("evaluate", "--bench", "ifeval", "--responses", responses, "--json")
            .succeeds();
    HirConsole sampled =
        HirConsole.run(
                "evaluate",
                "--bench",
                data,
                "--model",
                model,
                "--max-tokens",
                12,
                "--threads",
                1,
                "--json")
            .succeeds();
    assertEquals(
        JSON.readTree(given.out()).get("groups"), JSON.readTree(sampled.out()).get("groups"));
    HirConsole.run("evaluate", "--bench", "ifeval", "--model", model)
        .failsWith(1, "--model needs the benchmark's prompts");
    HirConsole.run("evaluate", "--bench", "ifeval").failsWith(2, "either --responses or --model");
  }

  @Test
  void whatCannotBeScoredIsNamed() throws IOException {
    Path data =
        write(
            "data.jsonl",
            "{\"prompt\": \"A\", \"instruction_id_list\": [\"punctuation:no_comma\"], \"kwargs\":"
                + " [{}]}");
    Path responses = write("responses.jsonl", "{\"prompt\": \"Z\", \"response\": \"r\"}");
    HirConsole.run("evaluate", "--bench", "ifeval", "--responses", responses, "--data", data)
        .failsWith(1, responses + ": answers no prompt of " + data);
    Path nothing = write("nothing.jsonl", "{\"response\": \"r\"}");
    HirConsole.run("evaluate", "--bench", "ifeval", "--responses", nothing, "--data", data)
        .failsWith(1, nothing + ":1: field 'prompt': is missing, and so is id");
    HirConsole.run("evaluate", "--bench", "ifeval", "--responses", responses, "--resume")
        .failsWith(2, "--resume needs --model and --out");
    HirConsole.run("evaluate", "--bench", "ifeval", "--responses", responses)
        .failsWith(1, responses + ":1: field 'instruction_id_list': is missing or empty");
    HirConsole.run("evaluate", "--bench", "nonsense", "--responses", responses)
        .failsWith(1, "--bench nonsense is neither a known benchmark nor a file");
    HirConsole.run(
            "evaluate", "--bench", "ifeval", "--responses", write("empty.jsonl"), "--data", data)
        .failsWith(1, "empty.jsonl: holds no rows");
    HirConsole.run(
            "evaluate",
            "--bench",
            "ifeval",
            "--responses",
            responses,
            "--by",
            "model",
            "--data",
            data)
        .failsWith(1, "field 'model': is missing");
    HirConsole.run(
            "evaluate", "--bench", "ifeval", "--responses", responses, "--json", "--markdown")
        .failsWith(2, "exclude each other");
  }

  private Path write(String name, String... lines) throws IOException {
    return Files.write(folder.resolve(name), List.of(lines));
  }
}
