package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerifyCommandTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String NO_COMMA =
      "{\"bench\": \"ifeval\", \"instruction_id_list\": [\"punctuation:no_comma\","
          + " \"detectable_format:title\"], \"kwargs\": [{}, {}], \"response\": \"RESPONSE\"}";

  private static final String JUDGED =
      "{\"bench\": \"judge\", \"instruction_id_list\": [\"judge:criterion\"],"
          + " \"kwargs\": [{\"criterion\": \"Be polite.\"}], \"response\": \"%s\"}";

  @TempDir Path folder;

  /** The reference's lines, given with wrong verdicts, come out in order with the right ones. */
  @Test
  void whatCanGetNoVerdictIsToldOnceForEachKind(@TempDir Path folder) throws Exception {
    String row =
        "{\"id\": \"r%d\", \"bench\": \"ifeval\", \"response\": \"a b\", \"instruction_id_list\":"
            + " [\"punctuation:no_comma\", \"%s\"], \"kwargs\": [{}, %s]}";
    Path in = folder.resolve("in.jsonl");
    Path out = folder.resolve("out.jsonl");
    Files.write(
        in,
        List.of(
            row.formatted(1, "detectable_format:title", "{}"),
            row.formatted(2, "keywords:existence", "{\"keywords\": []}"),
            row.formatted(3, "keywords:existence", "{\"keywords\": []}"),
            row.formatted(4, "keyword:existence", "{\"keywords\": [\"a\"]}")));
    HirConsole run = HirConsole.run("verify", "--in", in, "--out", out).succeeds();
    List<String> warnings = run.err().lines().filter(l -> l.startsWith("warning: ")).toList();
    assertEquals(2, warnings.size(), run.err());
    assertTrue(
        warnings
            .get(0)
            .contains(
                "1 constraint of an unknown type in 1 row: "
                    + in
                    + ":4: row 'r4', constraint 2 (keyword:existence)"),
        warnings.get(0));
    assertTrue(warnings.get(0).contains("did you mean 'keywords:existence'?"), warnings.get(0));
    assertTrue(
        warnings
            .get(1)
            .contains(
                "2 constraints with kwargs that cannot be used in 2 rows, the first: "
                    + in
                    + ":2: "),
        warnings.get(1));
    assertEquals(4, Files.readAllLines(out).size());
  }

  @Test
  void linesOfWhichNothingCanBeCheckedEndWithAnError(@TempDir Path folder) throws Exception {
    Path in = folder.resolve("in.jsonl");
    Path out = folder.resolve("out.jsonl");
    Files.writeString(
        in,
        "{\"bench\": \"ifeval\", \"response\": \"a b\", \"instruction_id_list\":"
            + " [\"length_constraints:number_words\"], \"kwargs\": [{\"num_words\": \"40\","
            + " \"relation\": \"at least\"}]}");
    HirConsole run = HirConsole.run("verify", "--in", in, "--out", out);
    assertEquals(1, run.exit(), run.err());
    assertTrue(
        run.err().contains("error: no constraint can be checked: 1 constraint with kwargs"),
        run.err());
    assertTrue(Files.readString(out).contains("\"strict\":[null]"));
  }

  @Test
  void aParquetTableIsNamed(@TempDir Path folder) throws Exception {
    Path in = folder.resolve("in.parquet");
    Files.write(in, new byte[] {'P', 'A', 'R', '1', (byte) 0xFF, 0});
    HirConsole.run("verify", "--in", in, "--out", folder.resolve("out"))
        .failsWith(1, "is a Parquet table, not JSON Lines");
    Path bare =
        Files.writeString(folder.resolve("bare.jsonl"), "{\"response\": \"r\", \"prompt\": \"p\"}");
    HirConsole run = HirConsole.run("verify", "--in", bare, "--out", folder.resolve("out"));
    run.failsWith(1, "field 'bench': is missing");
    assertTrue(run.err().contains("ifeval, iftrain, ifbench, ifbench-r2"), run.err());
  }

  @Test
  void writesTheReferencesVerdicts() throws IOException {
    Path shared = SharedData.require("conformance/ifeval.real.jsonl.gz");
    List<JsonNode> expected = new ArrayList<>();
    List<String> lines = new ArrayList<>();
    try (GZIPInputStream in = new GZIPInputStream(Files.newInputStream(shared))) {
      for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
        ObjectNode row = (ObjectNode) JSON.readTree(line);
        expected.add(row.deepCopy());
        lines.add(row.put("strict", "bogus").put("loose", "bogus").toString());
      }
    }
    Path in = Files.write(folder.resolve("in.jsonl"), lines);
    Path out = folder.resolve("out.jsonl");
    HirConsole.run("verify", "--in", in, "--out", out).succeeds();
    List<String> written = Files.readAllLines(out);
    assertEquals(expected.size(), written.size());
    int compared = 0;
    for (int i = 0; i < written.size(); i++) {
      JsonNode row = JSON.readTree(written.get(i));
      for (String field : List.of("key", "source", "prompt", "response", "kwargs")) {
        assertEquals(expected.get(i).get(field), row.get(field));
      }
      compared += compare(expected.get(i), row);
    }
    assertTrue(compared > 2000, compared + " verdicts");
    SharedData.counted("conformance/ifeval (hir verify)", compared);
  }

  private static int compare(JsonNode expected, JsonNode row) {
    int compared = 0;
    for (int i = 0; i < row.get("strict").size(); i++) {
      String id = row.get("instruction_id_list").get(i).asText();
      // without NLTK's data a built-in splits sentences; language identification may differ
      boolean approximate =
          id.contains("number_sentences")
              || id.startsWith("language:")
              || id.startsWith("change_case:");
      if (approximate || holds(expected.path("nondet"), i)) {
        continue;
      }
      for (String mode : List.of("strict", "loose")) {
        boolean wanted = expected.get(mode).get(i).asBoolean(false);
        assertEquals(wanted, row.get(mode).get(i).asBoolean(), row + " " + id + " " + mode);
        compared++;
      }
    }
    return compared;
  }

  private static boolean holds(JsonNode list, int index) {
    for (JsonNode entry : list) {
      if (entry.asInt() == index) {
        return true;
      }
    }
    return false;
  }

  @Test
  void readsStandardInputAndWritesStandardOutput() throws Exception {
    String surrogate = NO_COMMA.replace("RESPONSE", "<<t>> \\ud800 é");
    HirProcess.Result run =
        HirProcess.run(
            NO_COMMA.replace("RESPONSE", "a, b") + "\n\n" + surrogate + "\n",
            "verify",
            "--in",
            "-",
            "--out",
            "-",
            "--json");
    assertEquals(0, run.exit(), run.err());
    List<String> lines = run.out().lines().toList();
    assertEquals(2, lines.size(), run.out());
    assertEquals("[false,false]", JSON.readTree(lines.get(0)).get("strict").toString());
    assertEquals("[true,true]", JSON.readTree(lines.get(1)).get("loose").toString());
    assertEquals("<<t>> \ud800 é", JSON.readTree(lines.get(1)).get("response").asText());
    JsonNode report = JSON.readTree(run.err());
    assertEquals(2, report.get("lines").asInt());
    assertEquals(2, report.get("satisfied").asInt());
  }

  @Test
  void wordsThatNobodyUnderstandsAreCounted() throws Exception {
    Path in =
        Files.writeString(
            folder.resolve("in.jsonl"),
            "{\"bench\": \"muldimif\", \"response\": \"a b\", \"constraints\": [[\"Length\","
                + " \"Words\", \"9 words or less\"], [\"Length\", \"Words\", \"At most 9"
                + " words\"]]}\n");
    Path out = folder.resolve("out.jsonl");
    HirConsole run =
        HirConsole.run("verify", "--in", in, "--out", out, "--reasons", "--json").succeeds();
    assertTrue(run.out().contains("\"not understood muldimif/Length_Words\":"), run.out());
    JsonNode row = JSON.readTree(Files.readString(out));
    assertEquals("[1,1]", row.get("verdict").toString());
    assertTrue(row.get("reasons").get(0).asText().startsWith("not understood: no limit of words"));

    HirConsole.run("verify", "--in", in, "--out", out, "--unread", "no-verdict").succeeds();
    row = JSON.readTree(Files.readString(out));
    assertEquals("[null,1]", row.get("verdict").toString());
    assertTrue(row.get("reasons").get(0).asText().contains("not understood"), row.toString());
  }

  /** The shell turns {@code --in <(...)} into a pipe, which has no position and no size. */
  @Test
  void pipesAreRead() throws Exception {
    Path pipe = folder.resolve("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    byte[] plain = (NO_COMMA + "\n").getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream zipped = new ByteArrayOutputStream();
    try (var zip = new GZIPOutputStream(zipped)) {
      zip.write(plain);
    }
    for (byte[] bytes : List.of(plain, zipped.toByteArray())) {
      Thread feeding =
          new Thread(
              () -> {
                try {
                  Files.write(pipe, bytes);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
      feeding.start();
      Path out = folder.resolve("out.jsonl");
      HirConsole.run("verify", "--in", pipe, "--out", out).succeeds();
      feeding.join();
      assertEquals(1, Files.readAllLines(out).size());
    }
  }

  /** /dev/stdout is a link to standard output, and must stay one. */
  @Test
  void devicesAreWrittenToDirectly() throws Exception {
    Path device = Path.of("/dev/stdout");
    assumeTrue(Files.isSymbolicLink(device));
    HirProcess.Result run =
        HirProcess.run(NO_COMMA + "\n", "verify", "--in", "/dev/stdin", "--out", "/dev/stdout");
    assertTrue(Files.isSymbolicLink(device));
    assertEquals(0, run.exit(), run.err());
    assertEquals(1, run.out().lines().count(), run.out());
    assertTrue(run.out().contains("\"strict\":[true,false]"), run.out());
    assertTrue(run.err().contains("lines 1"), run.err());
  }

  @Test
  void gzipIsUnpacked() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (var zip = new GZIPOutputStream(bytes)) {
      zip.write(NO_COMMA.getBytes(StandardCharsets.UTF_8));
    }
    Path in = Files.write(folder.resolve("in.jsonl.gz"), bytes.toByteArray());
    Path out = folder.resolve("out.jsonl");
    HirConsole.run("verify", "--in", in, "--out", out).succeeds();
    assertEquals(1, Files.readAllLines(out).size());
  }

  @Test
  void anUnknownIdHasNoVerdict() throws IOException {
    Path in = write(NO_COMMA.replace("detectable_format:title", "no:such"));
    Path out = folder.resolve("out.jsonl");
    HirConsole run = HirConsole.run("verify", "--in", in, "--out", out).succeeds();
    assertEquals("[true,null]", JSON.readTree(Files.readString(out)).get("strict").toString());
    assertTrue(run.out().contains("without verdict 1"), run.out());
  }

  @Test
  void badLinesNameTheirPlaceAndLeaveNoOutput() throws IOException {
    String[][] faults = {
      {NO_COMMA.replace("ifeval", "nonsense"), ":2: field 'bench': is 'nonsense'"},
      {NO_COMMA.replace("[{}, {}]", "[{}]"), ":2: field 'kwargs': has 1 entries for 2 ids"},
      {NO_COMMA.replace("response", "answer"), ":2: field 'response': is missing"},
      {
        NO_COMMA.replace("instruction_id_list", "ids"),
        ":2: field 'instruction_id_list': is missing"
      },
      {NO_COMMA.substring(5), ":2: is not valid JSON"},
    };
    Path out = folder.resolve("out.jsonl");
    for (String[] fault : faults) {
      Path in = write(NO_COMMA, fault[0]);
      HirConsole.run("verify", "--in", in, "--out", out).failsWith(1, in + fault[1]);
      assertFalse(Files.exists(out));
    }
    HirConsole.run("verify", "--in", write(NO_COMMA), "--out", out, "--text-data", folder + "/none")
        .failsWith(1, "none");
  }

  /** Lines with judged criteria, in a separate process, because the environment names the judge. */
  private HirProcess.Result judged(String url, Object... options) throws Exception {
    Path in =
        write(
            JUDGED.formatted("Thanks!"),
            JUDGED.formatted("Go."),
            NO_COMMA.replace("RESPONSE", "a <<t>>"));
    List<String> command =
        new ArrayList<>(
            List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                Hir.class.getName(),
                "verify",
                "--in",
                in.toString(),
                "--out",
                folder.resolve("out.jsonl").toString()));
    List.of(options).forEach(option -> command.add(option.toString()));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("HIR_JUDGE_URL", url);
    builder.environment().put("HIR_JUDGE_MODEL", "tiny");
    return HirProcess.command("", builder);
  }

  private List<JsonNode> rows() throws IOException {
    List<JsonNode> rows = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve("out.jsonl"))) {
      rows.add(JSON.readTree(line));
    }
    return rows;
  }

  /** A judge that answers a prompt with words or, if they are a number, with that status. */
  private static HttpServer judge(UnaryOperator<String> answers) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/v1/chat/completions",
        exchange -> {
          JsonNode request = JSON.readTree(exchange.getRequestBody());
          String said = answers.apply(request.at("/messages/0/content").asText());
          int status = said.matches("\\d+") ? Integer.parseInt(said) : 200;
          byte[] answer =
              ("{\"choices\": [{\"message\": {\"content\": \"" + said + "\"}}]}")
                  .getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(status, answer.length);
          exchange.getResponseBody().write(answer);
          exchange.close();
        });
    server.start();
    return server;
  }

  private static String url(HttpServer server) {
    return "http://localhost:" + server.getAddress().getPort() + "/v1";
  }

  @Test
  void aJudgeIsAskedOnceForEachPromptOfTheTemplate() throws Exception {
    List<String> prompts = new CopyOnWriteArrayList<>();
    HttpServer server =
        judge(
            prompt -> {
              prompts.add(prompt);
              return prompt.contains("Thanks") ? "<think>NO</think> YES" : "NO";
            });
    Path template = Files.writeString(folder.resolve("prompt"), "{criterion} / {response}");
    try {
      for (int i = 0; i < 2; i++) {
        HirProcess.Result run =
            judged(
                url(server),
                "--judge-template",
                template,
                "--judge-cache",
                folder.resolve("cache"),
                "--judge-parallel",
                2,
                "--judge-strip-thinking");
        assertEquals(0, run.exit(), run.err());
        assertEquals("[true]", rows().get(0).get("strict").toString());
        assertEquals("[false]", rows().get(1).get("loose").toString());
      }
    } finally {
      server.stop(0);
    }
    assertEquals(
        List.of("Be polite. / Go.", "Be polite. / Thanks!"), prompts.stream().sorted().toList());
  }

  /** A judge that never answers is an error that says what is missing. */
  @Test
  void aJudgeThatNeverAnswersIsAnError() throws Exception {
    HttpServer server = judge(prompt -> "401");
    String url = url(server);
    try {
      HirProcess.Result run = judged(url);
      assertEquals(1, run.exit(), run.err());
      assertTrue(
          run.err()
              .contains(
                  "error: the judge at "
                      + url
                      + "/chat/completions could not be asked 2 of 2 times: status 401"),
          run.err());
      assertTrue(run.err().contains("hint: set HIR_JUDGE_KEY"), run.err());
      assertTrue(run.out().contains("judge failed 2"), run.out());
      assertTrue(rows().get(0).at("/reasons/0").asText().contains("status 401"));
      assertEquals("[true,true]", rows().get(2).get("strict").toString(), "what rules check");
    } finally {
      server.stop(0);
    }
    HirProcess.Result nobody = judged(url, "--judge-retries", 0);
    assertEquals(1, nobody.exit(), nobody.err());
    assertTrue(nobody.err().contains("2 of 2 times: connection refused"), nobody.err());
  }

  @Test
  void aJudgeThatFailsAtTimesIsAWarning() throws Exception {
    HttpServer server = judge(prompt -> prompt.contains("Thanks") ? "Well..." : "500");
    try {
      HirProcess.Result run = judged(url(server), "--judge-retries", 0, "--judge-parallel", 1);
      assertEquals(0, run.exit(), run.err());
      assertTrue(run.err().contains("could not be asked 1 of 2 times: status 500"), run.err());
      assertTrue(run.err().contains("neither YES nor NO 1 times; a judge that thinks"), run.err());
      assertTrue(
          run.out().contains("without verdict 2") && run.out().contains("judge failed 1"),
          run.out());
    } finally {
      server.stop(0);
    }
  }

  @Test
  void judgeOptionsWithoutAJudgeAreAnError() throws IOException {
    HirConsole.run(
            "verify",
            "--in",
            write(NO_COMMA),
            "--out",
            folder.resolve("out.jsonl"),
            "--judge-cache",
            folder)
        .failsWith(1, "HIR_JUDGE_URL");
  }

  private Path write(String... lines) throws IOException {
    return Files.write(folder.resolve("in.jsonl"), List.of(lines));
  }
}
