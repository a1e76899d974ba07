package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Hub names on the command line. */
class FetchCommandTest {

  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
  private static final String ROW =
      "{\"bench\": \"ifeval\", \"prompt\": \"p\", \"response\": \"a, b\","
          + " \"instruction_id_list\": [\"punctuation:no_comma\"], \"kwargs\": [{}]}\n";

  @TempDir Path folder;
  private final Map<String, String> environment = new HashMap<>();

  @BeforeEach
  void variables() {
    environment.put("HF_HUB_CACHE", folder.resolve("cache").toString());
    environment.put("HF_HUB_OFFLINE", "1");
    environment.put("HF_TOKEN", "hf_secret");
  }

  private HirProcess.Result hir(String... args) throws Exception {
    HirProcess.Result run = HirProcess.run(environment, Hir.class.getName(), args);
    assertFalse((run.out() + run.err()).contains("hf_secret"), "the token is never shown");
    return run;
  }

  /** The demo's policy in the cache, as a Python tool would store it. */
  private Path cached() throws IOException {
    Path repository = folder.resolve("cache/models--Owner--Demo");
    Path snapshot = Files.createDirectories(repository.resolve("snapshots/" + COMMIT));
    Files.createDirectories(repository.resolve("refs"));
    Files.writeString(repository.resolve("refs/main"), COMMIT);
    Path model = DemoPolicy.in(folder);
    try (Stream<Path> files = Files.list(model)) {
      for (Path file : files.toList()) {
        Files.move(file, snapshot.resolve(file.getFileName()));
      }
    }
    return snapshot;
  }

  @Test
  void printsTheFolderAndLoadsNoNativeCode() throws Exception {
    Path snapshot = cached();
    HirProcess.Result plain =
        HirProcess.run(environment, MapsProbe.class.getName(), "fetch", "Owner/Demo");
    assertEquals(0, plain.exit(), plain.err());
    assertEquals(snapshot + System.lineSeparator(), plain.out());
    assertFalse(plain.err().matches("(?s).*mapped:[^\n]*(torch|javacpp|gomp|hir).*"), plain.err());
    HirProcess.Result json = hir("fetch", "hf://Owner/Demo@" + COMMIT, "--json");
    assertEquals(
        "{\"name\":\"Owner/Demo@" + COMMIT + "\",\"path\":\"" + snapshot + "\"}",
        json.out().strip());
  }

  @Test
  void aModelRunsByItsName() throws Exception {
    cached();
    Path in = Files.writeString(folder.resolve("in.jsonl"), "{\"prompt\": \"Write.\"}\n");
    HirProcess.Result run =
        hir("generate", "--model", "Owner/Demo", "--in", in.toString(), "--out", "-");
    assertEquals(0, run.exit(), run.err());
    assertTrue(run.out().contains("\"token_ids\":["), run.out());
  }

  @Test
  void saysWhatToDo() throws Exception {
    HirProcess.Result absent = hir("fetch", "Owner/Absent");
    assertEquals(1, absent.exit());
    assertTrue(
        absent.err().startsWith("error: Owner/Absent is not in the cache " + folder), absent.err());
    assertTrue(absent.err().contains("hint: unset HF_HUB_OFFLINE"), absent.err());
    for (String wrong : List.of("../x", "a", "a/b:c.bin", "hf://datasets/a/b", "/etc")) {
      HirProcess.Result run = hir("fetch", wrong);
      assertEquals(2, run.exit(), run.err());
      assertTrue(run.err().startsWith("error: "), run.err());
    }
    environment.put("HF_HUB_OFFLINE", "0");
    environment.put("HF_ENDPOINT", "http://127.0.0.1:1");
    HirProcess.Result unreachable = hir("fetch", "Owner/Absent");
    assertEquals(1, unreachable.exit());
    assertTrue(
        unreachable.err().startsWith("error: Owner/Absent: no connection to 127.0.0.1"),
        unreachable.err());
    assertTrue(unreachable.err().contains("-Dhttps.proxyHost"), unreachable.err());
    environment.put("HF_ENDPOINT", "http://user:password@x");
    HirProcess.Result endpoint = hir("fetch", "Owner/Absent");
    assertFalse(endpoint.err().contains("password@"), endpoint.err());
    assertTrue(endpoint.err().startsWith("error: HF_ENDPOINT is not"), endpoint.err());
  }

  /**
   * A file of a data set is accepted for any data file; the second time it comes from the cache.
   */
  @Test
  void dataIsTakenByItsName() throws Exception {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/datasets/Owner/Data/resolve/main/rows.jsonl", FetchCommandTest::serve);
    server.createContext(
        "/datasets/Owner/Data/resolve/" + COMMIT + "/rows.jsonl", FetchCommandTest::serve);
    server.start();
    environment.put("HF_HUB_OFFLINE", "0");
    environment.put("HF_ENDPOINT", "http://127.0.0.1:" + server.getAddress().getPort());
    String name = "hf://datasets/Owner/Data/rows.jsonl";
    HirProcess.Result online = hir("verify", "--in", name, "--out", "-");
    server.stop(0);
    assertEquals(0, online.exit(), online.err());
    assertTrue(online.out().contains("\"strict\":[false]"), online.out());

    environment.put("HF_HUB_OFFLINE", "1");
    assertEquals(online.out(), hir("verify", "--in", name, "--out", "-").out());
    HirProcess.Result scores = hir("evaluate", "--bench", "ifeval", "--responses", name);
    assertEquals(0, scores.exit(), scores.err());
    HirProcess.Result joined = hir("evaluate", "--bench", name, "--responses", name, "--json");
    assertEquals(0, joined.exit(), joined.err());
    HirProcess.Result coverage = hir("doctor", "--data", name);
    assertTrue(coverage.out().contains("rows: 1"), coverage.out() + coverage.err());
    HirProcess.Result missing = hir("verify", "--in", name + "x", "--out", "-");
    assertEquals(1, missing.exit());
    assertTrue(missing.err().startsWith("error: " + name + "x is not in the cache"), missing.err());
  }

  private static void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] content = ROW.getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("X-Repo-Commit", COMMIT);
      exchange.getResponseHeaders().set("ETag", "\"mirrors-name-contents-otherwise\"");
      if (exchange.getRequestMethod().equals("HEAD")) {
        exchange.getResponseHeaders().set("Content-Length", Integer.toString(content.length));
        exchange.sendResponseHeaders(200, -1);
      } else {
        exchange.sendResponseHeaders(200, content.length);
        exchange.getResponseBody().write(content);
      }
    }
  }
}
