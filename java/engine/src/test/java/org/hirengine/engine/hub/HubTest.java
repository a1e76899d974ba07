package org.hirengine.engine.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Names of the Hub against a Hub of the test's own. */
class HubTest {

  private static final String NAME = "Owner/Model-0.5B";
  private static final HubName MODEL = HubName.model(NAME);

  @TempDir Path home;

  private final FakeHub server = new FakeHub();
  private final Map<String, String> environment = new HashMap<>();
  private final List<String> notes = new ArrayList<>();
  private final List<Duration> waits = new ArrayList<>();
  private final List<Long> progress = new ArrayList<>();

  @AfterEach
  void stop() {
    server.close();
  }

  private Hub hub() {
    environment.putIfAbsent("HF_ENDPOINT", server.endpoint());
    HubListener listener =
        new HubListener() {
          @Override
          public void progress(HubName name, String file, long done, long total) {
            progress.add(done);
          }

          @Override
          public void note(String text) {
            notes.add(text);
          }
        };
    return new Hub(
        new HubSettings(environment, home),
        listener,
        new Patience(Duration.ofSeconds(2), Duration.ofMillis(1), waits::add));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] random(int size, long seed) {
    byte[] content = new byte[size];
    new Random(seed).nextBytes(content);
    return content;
  }

  /** A repository as they are: what is needed, and much that is not. */
  private static Map<String, byte[]> files(byte[] weights) {
    Map<String, byte[]> files = new TreeMap<>();
    files.put("config.json", bytes("{\"model_type\": \"qwen3\"}"));
    files.put("generation_config.json", bytes("{}"));
    files.put("tokenizer.json", random(50_000, 3));
    files.put("tokenizer_config.json", bytes("{\"a\": 1}"));
    files.put("additional_chat_templates/tool use.jinja", bytes("{{ messages }}"));
    files.put("model.safetensors", weights);
    files.put("pytorch_model.bin", random(2000, 4));
    files.put("onnx/model.onnx", random(2000, 5));
    files.put("original/consolidated.00.pth", random(2000, 6));
    files.put("README.md", bytes("# Model"));
    files.put(".gitattributes", bytes("x"));
    files.put("empty.txt", bytes(""));
    return files;
  }

  private Path cache() {
    return home.resolve(".cache/huggingface/hub");
  }

  private static Set<String> below(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(file -> !Files.isDirectory(file))
          .map(file -> folder.relativize(file).toString())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  @Test
  void fetchesWhatIsNeededIntoTheSharedLayout() throws IOException {
    byte[] weights = random(300_000, 1);
    String commit = server.model(NAME).commit("main", files(weights));

    Location found = hub().find(Location.of(MODEL));

    Path folder = cache().resolve("models--Owner--Model-0.5B");
    assertEquals(folder.resolve("snapshots").resolve(commit), found.path());
    assertEquals(NAME + "@" + commit, found.toString());
    assertEquals(
        Set.of(
            "config.json",
            "generation_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "additional_chat_templates/tool use.jinja",
            "model.safetensors"),
        below(found.path()));
    assertEquals(commit, Files.readString(folder.resolve("refs/main")));
    Path link = found.path().resolve("model.safetensors");
    assertEquals(
        Path.of("../../blobs", FakeHub.sha("SHA-256", weights)), Files.readSymbolicLink(link));
    assertEquals(
        Path.of("../../../blobs", FakeHub.gitHash(bytes("{{ messages }}"))),
        Files.readSymbolicLink(found.path().resolve("additional_chat_templates/tool use.jinja")));
    assertArrayEquals(weights, Files.readAllBytes(link));
    assertTrue(
        below(folder.resolve("blobs")).stream().noneMatch(name -> name.contains("incomplete")));
    assertEquals(0, server.count("GET", ".bin") + server.count("HEAD", ".md"));
    assertEquals(progress.stream().sorted().toList(), progress);

    server.requests.clear();
    assertEquals(found, hub().find(Location.of(MODEL)));
    assertEquals(List.of(), server.requests, "what the cache has is not asked for");
  }

  @Test
  void sendsTheTokenToTheEndpointAlone() {
    environment.put("HF_TOKEN", "hf_secret");
    server.model(NAME).commit("main", files(random(5000, 1)));
    server.model(NAME).needsToken = "hf_secret";

    hub().find(Location.of(MODEL));

    assertTrue(server.requests.stream().anyMatch(FakeHub.Request::elsewhere));
    for (FakeHub.Request request : server.requests) {
      if (request.elsewhere()) {
        assertNull(request.token(), request.toString());
      } else {
        assertEquals("Bearer hf_secret", request.token());
      }
    }
  }

  private HubException fails(String name) {
    HubException e =
        assertThrows(HubException.class, () -> hub().find(Location.of(HubName.model(name))));
    assertFalse(e.getMessage().isBlank());
    assertFalse(e.remedy().isBlank());
    for (String secret : List.of("hf_secret", "X-Amz")) {
      assertFalse((e + e.remedy() + notes).contains(secret), e.getMessage());
    }
    return e;
  }

  private void assertSays(HubException e, String message, String remedy) {
    assertTrue(e.getMessage().contains(message), e.getMessage());
    assertTrue(e.remedy().contains(remedy), e.remedy());
  }

  /** One large file and what a folder cannot do without; the large one is behind a redirect. */
  private byte[] small(FakeHub.Repository repository) {
    byte[] weights = random(200_000, 7);
    repository.commit("main", Map.of("config.json", bytes("{}"), "model.safetensors", weights));
    return weights;
  }

  private Path blobs() {
    return cache().resolve("models--Owner--Model-0.5B/blobs");
  }

  private void assertFetched(byte[] weights) throws IOException {
    Path file = hub().find(Location.of(MODEL)).path().resolve("model.safetensors");
    assertArrayEquals(weights, Files.readAllBytes(file));
    assertEquals(2, below(blobs()).size(), "nothing is left over");
  }

  /** Sends the head of what was asked for, then cuts the connection. */
  private static FakeHub.Fault cut(byte[] content, int length) {
    return exchange -> {
      String range = exchange.getRequestHeaders().getFirst("Range");
      int from = range == null ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
      if (from > 0) {
        exchange
            .getResponseHeaders()
            .set(
                "Content-Range",
                "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
      }
      exchange.sendResponseHeaders(from > 0 ? 206 : 200, content.length - from);
      exchange.getResponseBody().write(content, from, length);
      exchange.getResponseBody().flush();
      exchange.close();
      return true;
    };
  }

  @Test
  void goesOnWhereAConnectionWasCut() throws IOException {
    byte[] weights = small(server.model(NAME));
    String hash = FakeHub.sha("SHA-256", weights);
    for (int i = 0; i < 8; i++) { // more than there are tries, but each brings something
      server.fault("GET", hash, cut(weights, 20_000));
    }

    assertFetched(weights);

    List<String> ranges =
        server.requests.stream()
            .filter(FakeHub.Request::elsewhere)
            .map(request -> String.valueOf(request.range()))
            .toList();
    assertEquals(9, ranges.size());
    assertEquals("null", ranges.get(0));
    assertEquals("bytes=20000-", ranges.get(1));
    assertEquals("bytes=160000-", ranges.get(8));
  }

  @Test
  void goesOnInAnotherProcessAfterGivingUp() throws IOException {
    byte[] weights = small(server.model(NAME));
    String hash = FakeHub.sha("SHA-256", weights);
    server.fault("GET", hash, cut(weights, 50_000));
    for (int i = 1; i < Patience.TRIES; i++) {
      server.fault("GET", hash, cut(weights, 0));
    }
    assertSays(fails(NAME), "gave up after 5 tries", "what has arrived is kept");
    assertFalse(Files.exists(cache().resolve("models--Owner--Model-0.5B/refs/main")));
    assertEquals(
        50_000, Files.size(blobs().resolve(hash + ".hir.incomplete")), "what arrived is kept");
    server.requests.clear();

    assertFetched(weights);

    FakeHub.Request last = server.requests.get(server.requests.size() - 1);
    assertEquals("bytes=50000-", last.range());
    assertEquals(1, server.requests.stream().filter(FakeHub.Request::elsewhere).count());
  }

  @Test
  void smallFilesGoOnUnderTheirEtag() throws IOException {
    byte[] config = bytes("{\"model_type\": \"" + "x".repeat(800) + "\"}");
    server
        .model(NAME)
        .commit("main", Map.of("config.json", config, "model.safetensors", bytes("w")));
    server.fault("GET", "config.json", cut(config, 300));

    Path folder = hub().find(Location.of(MODEL)).path();

    assertArrayEquals(config, Files.readAllBytes(folder.resolve("config.json")));
    assertTrue(
        server.requests.stream()
            .anyMatch(
                request ->
                    "bytes=300-".equals(request.range())
                        && ('"' + FakeHub.gitHash(config) + '"').equals(request.ifRange())));
  }

  /** What an earlier process left: not always a part of the content. */
  @Test
  void recoversFromAPartThatIsNone() throws IOException {
    byte[] weights = small(server.model(NAME));
    String hash = FakeHub.sha("SHA-256", weights);
    Files.createDirectories(blobs());
    for (byte[] left : List.of(random(30_000, 9), random(300_000, 9), random(200_000, 9))) {
      try (Stream<Path> all = Files.walk(cache())) {
        all.filter(file -> !Files.isDirectory(file)).forEach(file -> file.toFile().delete());
      }
      Files.write(blobs().resolve(hash + ".hir.incomplete"), left);
      assertFetched(weights);
    }
  }

  @Test
  void takesTheWholeFromAServerWithoutRanges() throws IOException {
    byte[] weights = small(server.model(NAME));
    String hash = FakeHub.sha("SHA-256", weights);
    server.fault("GET", hash, cut(weights, 70_000));
    server.fault(
        "GET",
        hash,
        exchange -> {
          exchange.sendResponseHeaders(200, weights.length);
          exchange.getResponseBody().write(weights);
          return true;
        });
    assertFetched(weights);
    assertEquals(2, server.requests.stream().filter(FakeHub.Request::elsewhere).count());
  }

  @Test
  void refusesAPartThatWasNotAskedFor() throws IOException {
    byte[] weights = small(server.model(NAME));
    String hash = FakeHub.sha("SHA-256", weights);
    server.fault("GET", hash, cut(weights, 70_000));
    server.fault(
        "GET",
        hash,
        exchange -> {
          exchange.getResponseHeaders().set("Content-Range", "bytes 10-19/" + weights.length);
          exchange.sendResponseHeaders(206, 10);
          exchange.getResponseBody().write(weights, 10, 10);
          return true;
        });
    assertFetched(weights);
  }

  @Test
  void refusesAnotherContentThanTheHashSays() throws IOException {
    byte[] weights = small(server.model(NAME));
    byte[] other = weights.clone();
    other[150_000] ^= 1;
    String hash = FakeHub.sha("SHA-256", weights);
    server.fault(
        "GET",
        hash,
        exchange -> {
          exchange.sendResponseHeaders(200, other.length);
          exchange.getResponseBody().write(other);
          return true;
        });
    assertSays(fails(NAME), "another content than its hash says", "try again");
    assertTrue(below(blobs()).stream().noneMatch(name -> name.startsWith(hash)));
    assertFetched(weights);
  }

  @Test
  void refusesSmallFilesOfAnotherContent() {
    small(server.model(NAME));
    server.fault(
        "GET",
        "config.json",
        exchange -> {
          exchange.sendResponseHeaders(200, 2);
          exchange.getResponseBody().write(bytes("[]"));
          return true;
        });
    assertSays(fails(NAME), "config.json arrived with another content", "try again");
  }

  @Test
  void refusesWrongLengths() throws IOException {
    byte[] weights = small(server.model(NAME));
    String hash = FakeHub.sha("SHA-256", weights);
    for (int i = 0; i <= Patience.TRIES; i++) {
      server.fault(
          "GET",
          hash,
          exchange -> { // less, as if it were all
            exchange.sendResponseHeaders(200, 1000);
            exchange.getResponseBody().write(weights, 0, 1000);
            return true;
          });
    }
    assertSays(fails(NAME), "after 1000 of 200000 bytes", "try again later");
    for (int i = 0; i < Patience.TRIES * 3; i++) {
      server.fault(
          "GET",
          hash,
          exchange -> { // more, without an end
            exchange.sendResponseHeaders(200, 0);
            byte[] much = new byte[1 << 16];
            for (int part = 0; part < 1000; part++) {
              exchange.getResponseBody().write(much);
            }
            return true;
          });
    }
    assertSays(fails(NAME), "more came than the 200000 bytes", "try again later");
    assertTrue(
        Files.size(blobs().resolve(hash + ".hir.incomplete")) <= 200_000,
        "no more is written than was announced");
  }

  @Test
  void asksAgainWhereASignedAddressExpired() throws IOException {
    byte[] weights = small(server.model(NAME));
    server.fault("GET", FakeHub.sha("SHA-256", weights), FakeHub.status(403));
    assertFetched(weights);
    assertEquals(2, server.count("HEAD", "model.safetensors"));
  }

  @Test
  void givesUpOnABodyThatStopsComing() throws IOException {
    byte[] weights = small(server.model(NAME));
    server.fault(
        "GET",
        FakeHub.sha("SHA-256", weights),
        exchange -> {
          exchange.sendResponseHeaders(200, weights.length);
          exchange.getResponseBody().write(weights, 0, 60_000);
          exchange.getResponseBody().flush();
          try {
            Thread.sleep(60_000); // until the server is closed
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          return true;
        });
    assertFetched(weights);
    assertEquals(
        "bytes=60000-", server.requests.get(server.requests.size() - 1).range(), "and goes on");
  }

  @Test
  void waitsAsTheServerAsks() throws IOException {
    byte[] weights = small(server.model(NAME));
    server.fault("GET", "/revision/main", FakeHub.status(429, "Retry-After", "7"));
    server.fault("HEAD", "config.json", FakeHub.status(503));
    server.fault("HEAD", "config.json", FakeHub.status(500));
    server.fault("GET", FakeHub.sha("SHA-256", weights), FakeHub.status(429, "Retry-After", "9"));
    assertFetched(weights);
    assertEquals(
        List.of(
            Duration.ofSeconds(7),
            Duration.ofMillis(1),
            Duration.ofMillis(2),
            Duration.ofSeconds(9)),
        waits);
  }

  @Test
  void leavesLongWaitsToTheUser() {
    small(server.model(NAME));
    server.fault("GET", "/revision/main", FakeHub.status(429, "Retry-After", "3600"));
    assertSays(fails(NAME), "wait 3600 seconds", "HF_TOKEN");
    assertEquals(List.of(), waits);
    server.fault(
        "GET",
        "/revision/main",
        FakeHub.status(429, "Retry-After", "Fri, 31 Dec 2100 23:59:59 GMT"));
    assertSays(fails(NAME), "the Hub asks to wait", "try again then");
  }

  @Test
  void triesServerErrorsABoundedNumberOfTimes() {
    small(server.model(NAME));
    for (int i = 0; i < 10; i++) {
      server.fault("GET", "/revision/main", FakeHub.status(502));
    }
    assertSays(fails(NAME), "5 tries: status 502", "try again later");
    assertEquals(5, server.requests.size());
  }

  @Test
  void saysWhatARefusalMeans() {
    assertSays(fails("No/Body"), "No/Body is neither here nor a public", "HF_TOKEN");
    small(server.model("Gated/One"));
    server.model("Gated/One").gated = true;
    server.model("Gated/One").needsToken = "hf_other";
    assertSays(fails("Gated/One"), "is gated", "accept");
    small(server.model(NAME));
    assertSays(fails(NAME + "@v7"), "has no revision v7", "a branch, a tag or a commit");

    environment.put("HF_TOKEN", "hf_secret");
    HubException gated = fails("Gated/One");
    assertSays(gated, "is gated", "open " + server.endpoint() + "/Gated/One");
    assertSays(fails("No/Body"), "that the token may read", "permissions");
    server.fault(
        "GET",
        "/revision/main",
        FakeHub.status(
            401, "X-Error-Message", "Invalid credentials in Authorization header: hf_secret"));
    assertSays(fails(NAME), "refuses the token", "https://huggingface.co/settings/tokens");
    server.fault(
        "GET", "/revision/main", FakeHub.status(403, "X-Error-Message", "hf_secret may not"));
    assertSays(fails(NAME), "(token) may not", "permission");
    server.fault(
        "GET",
        "/revision/main",
        FakeHub.status(403, "X-Error-Message", "Access to this resource is disabled."));
    assertSays(fails(NAME), "disabled", "another");
    environment.put("HF_TOKEN", "hf_secret with spaces");
    assertSays(fails(NAME), "characters that no token has", "copy it again");
  }

  @Test
  void aServerThatIsNoHubIsToldApart() {
    small(server.model(NAME));
    server.fault(
        "GET",
        "/revision/main",
        exchange -> {
          byte[] page = bytes("<html>Sign in</html>");
          exchange.sendResponseHeaders(200, page.length);
          exchange.getResponseBody().write(page);
          return true;
        });
    assertSays(fails(NAME), "does not answer as the Hub does", "sign-in page");
  }

  /** Names from the server become paths; these would lead out of the cache. */
  @Test
  void refusesUnsafeNamesFromTheServer() throws IOException {
    byte[] evil = bytes("{\"sha\": \"../../../../tmp/evil\", \"siblings\": []}");
    small(server.model(NAME));
    server.fault(
        "GET",
        "/revision/main",
        exchange -> {
          exchange.sendResponseHeaders(200, evil.length);
          exchange.getResponseBody().write(evil);
          return true;
        });
    assertSays(fails(NAME), "does not answer as the Hub does", "HF_ENDPOINT");
    for (String etag : List.of("../../evil", "a/b", "..", ".hidden", "")) {
      server.fault(
          "HEAD",
          "config.json",
          FakeHub.status(200, "ETag", '"' + etag + '"', "X-Repo-Commit", "0".repeat(40)));
      assertSays(fails(NAME), "does not answer as the Hub does", "HF_ENDPOINT");
    }
    server
        .model("Evil/Templates")
        .commit(
            "main",
            Map.of(
                "config.json", bytes("{}"),
                "model.safetensors", bytes("w"),
                "additional_chat_templates/..\\..\\x.jinja", bytes("x")));
    assertSays(fails("Evil/Templates"), "unsafe name", "another");
    for (String shard : List.of("../../../evil.safetensors", "/tmp/evil.safetensors", "evil.bin")) {
      server
          .model("Evil/Index")
          .commit(
              "main",
              Map.of(
                  "config.json",
                  bytes("{}"),
                  "model.safetensors.index.json",
                  bytes("{\"weight_map\": {\"a\": \"" + shard + "\"}}")));
      assertSays(fails("Evil/Index"), "weight_map", "another revision");
    }
    assertTrue(below(home).stream().noneMatch(name -> name.contains("evil")));
  }

  @Test
  void followsARenamedRepositoryWithItsToken() throws IOException {
    environment.put("HF_TOKEN", "hf_secret");
    byte[] weights = small(server.model("New/Owner"));
    String path = "/resolve/";
    server.fault(
        "GET",
        "/Model-0.5B/revision/main",
        FakeHub.status(307, "Location", "/api/models/New/Owner/revision/main"));
    String commit =
        server
            .model("New/Owner")
            .commit("main", Map.of("config.json", bytes("{}"), "model.safetensors", weights));
    for (String file : List.of("config.json", "model.safetensors")) {
      server.fault(
          "HEAD",
          NAME + path + commit + "/" + file,
          FakeHub.status(307, "Location", "/New/Owner" + path + commit + "/" + file));
    }
    assertFetched(weights);
    assertTrue(
        server.requests.stream().allMatch(r -> r.elsewhere() == (r.token() == null)),
        server.requests.toString());
  }

  /** A mirror that keeps large files itself, and calls them otherwise there. */
  @Test
  void takesWhatAFileIsFromTheRedirect() throws IOException {
    byte[] weights = small(server.model(NAME));
    String commit =
        server
            .model(NAME)
            .commit("main", Map.of("config.json", bytes("{}"), "model.safetensors", weights));
    server.fault(
        "HEAD",
        "model.safetensors",
        FakeHub.status(
            302,
            "Location",
            "/lfs/1",
            "X-Linked-Etag",
            FakeHub.sha("SHA-256", weights),
            "X-Linked-Size",
            "200000",
            "X-Repo-Commit",
            commit));
    server.fault(
        "GET",
        "/lfs/1",
        exchange -> {
          exchange.getResponseHeaders().set("ETag", "\"1\"");
          exchange.sendResponseHeaders(200, weights.length);
          exchange.getResponseBody().write(weights);
          return true;
        });
    assertFetched(weights);
  }

  @Test
  void followsNoEndlessRedirect() {
    small(server.model(NAME));
    for (int i = 0; i < 100; i++) {
      server.fault(
          "GET",
          "/revision/main",
          FakeHub.status(302, "Location", "/api/models/" + NAME + "/revision/main"));
    }
    assertSays(fails(NAME), "redirects", "try again");
    assertTrue(server.requests.size() <= 100);
  }

  @Test
  void refusesARedirectToAnotherKindOfAddress() {
    small(server.model(NAME));
    for (String target : List.of("file:///etc/passwd", "ftp://x/y", "http:", "ht tp://x")) {
      server.fault("GET", "/revision/main", FakeHub.status(302, "Location", target));
      assertSays(fails(NAME), "not safe to follow", "HF_ENDPOINT");
    }
  }

  @Test
  void offlineTakesWhatTheCacheHas() throws IOException {
    environment.put("HF_HUB_OFFLINE", "1");
    server.model(NAME).commit("main", files(random(5000, 1)));
    assertSays(fails(NAME), "HF_HUB_OFFLINE is set", "unset HF_HUB_OFFLINE");
    assertEquals(List.of(), server.requests);
    environment.remove("HF_HUB_OFFLINE");
    Location online = hub().find(Location.of(MODEL));
    environment.put("HF_HUB_OFFLINE", "yes");
    server.requests.clear();

    assertEquals(online, hub().find(Location.of(MODEL)));
    assertEquals(online, hub().fetch(MODEL));
    HubName pinned = online.name().orElseThrow();
    assertEquals(online, hub().find(Location.of(pinned)));

    Files.delete(online.path().resolve("model.safetensors"));
    assertSays(fails(NAME), "is not in the cache", "hir fetch " + NAME);
    assertSays(fails(NAME + "@other"), "is not in the cache", "hir fetch " + NAME + "@other");
    assertEquals(List.of(), server.requests);
  }

  /** A cache that a Python tool filled: no marks of absent files, and not every file. */
  @Test
  void usesAForeignCacheAndCompletesIt() throws IOException {
    String commit = server.model(NAME).commit("main", files(random(5000, 1)));
    Location whole = hub().find(Location.of(MODEL));
    Path folder = cache().resolve("models--Owner--Model-0.5B");
    try (Stream<Path> all = Files.walk(folder.resolve(".no_exist"))) {
      all.filter(Files::isRegularFile).forEach(file -> file.toFile().delete());
    }
    Files.delete(whole.path().resolve("generation_config.json"));
    environment.put("HF_ENDPOINT", "http://127.0.0.1:1");

    assertEquals(whole, hub().find(Location.of(MODEL)), "the Hub cannot be reached");
    assertTrue(notes.get(0).contains("no connection to 127.0.0.1"), notes.toString());
    assertSays(fails("Other/Model"), "no connection to 127.0.0.1", "proxy");

    environment.put("HF_ENDPOINT", server.endpoint());
    server.requests.clear();
    assertEquals(whole, hub().find(Location.of(MODEL)));
    assertTrue(Files.exists(whole.path().resolve("generation_config.json")));
    assertEquals(1, server.count("HEAD", ".json"), "only what is missing is asked for");
    assertTrue(Files.exists(folder.resolve(".no_exist/" + commit + "/merges.txt")));
    server.requests.clear();
    hub().find(Location.of(MODEL));
    assertEquals(List.of(), server.requests);
  }

  @Test
  void revisionsShareTheirBlobs() throws IOException {
    byte[] weights = random(200_000, 1);
    String first = server.model(NAME).commit("main", files(weights));
    Hub hub = hub();
    Location old = hub.find(Location.of(MODEL));
    Map<String, byte[]> changed = files(weights);
    changed.put("tokenizer_config.json", bytes("{\"a\": 2}"));
    String second = server.model(NAME).commit("main", changed);
    changed.put("config.json", bytes("{\"model_type\": \"llama\"}"));
    String third = server.model(NAME).commit("refs/pr/1", changed);
    server.requests.clear();

    assertEquals(old, hub.find(Location.of(MODEL)), "nothing changes under a user");
    assertEquals(List.of(), server.requests);
    Location fresh = hub.fetch(MODEL);
    assertEquals(NAME + "@" + second, fresh.toString());
    assertEquals(fresh, hub.find(Location.of(MODEL)));
    assertEquals(old, hub.find(Location.of(MODEL.at(first))));
    Location other = hub.find(Location.of(MODEL.at("refs/pr/1")));
    assertEquals(NAME + "@" + third, other.toString());
    assertEquals(
        third, Files.readString(cache().resolve("models--Owner--Model-0.5B/refs/refs/pr/1")));
    assertEquals(0, server.count("GET", FakeHub.sha("SHA-256", weights)));
    assertEquals(
        Files.readSymbolicLink(old.path().resolve("model.safetensors")),
        Files.readSymbolicLink(other.path().resolve("model.safetensors")));
  }

  @Test
  void fetchesTheShardsOfAnIndex() throws IOException {
    Map<String, byte[]> files = files(bytes(""));
    files.remove("model.safetensors");
    files.put(
        "model.safetensors.index.json",
        bytes("{\"weight_map\": {\"a\": \"m-1.safetensors\", \"b\": \"m-2.safetensors\"}}"));
    files.put("m-1.safetensors", random(3000, 1));
    files.put("m-2.safetensors", random(3000, 2));
    files.put("m-3.safetensors", random(3000, 3));
    server.model(NAME).commit("main", files);

    Path folder = hub().find(Location.of(MODEL)).path();

    Set<String> found = below(folder);
    assertTrue(found.containsAll(Set.of("m-1.safetensors", "m-2.safetensors")), found.toString());
    assertFalse(found.contains("m-3.safetensors"));
    server.requests.clear();
    assertEquals(folder, hub().find(Location.of(MODEL)).path());
    assertEquals(List.of(), server.requests);
    Files.delete(folder.resolve("m-2.safetensors"));
    hub().find(Location.of(MODEL));
    assertTrue(Files.exists(folder.resolve("m-2.safetensors")));
  }

  @Test
  void takesTheGgufFileThatIsNamedOrTheOnlyOne() throws IOException {
    byte[] one = random(4000, 1);
    String commit = server.model(NAME).commit("main", Map.of("q8.gguf", one, "mmproj.gguf", one));
    Location only = hub().find(Location.of(MODEL));
    assertEquals(NAME + "@" + commit + ":q8.gguf", only.toString());
    assertArrayEquals(one, Files.readAllBytes(only.path()));
    server.requests.clear();
    assertEquals(only, hub().find(Location.of(MODEL)));
    assertEquals(only, hub().find(Location.of(HubName.model(only.toString()))));
    assertEquals(List.of(), server.requests);

    server.model("Some/Ggufs").commit("main", Map.of("a.gguf", one, "sub/b.gguf", one));
    assertSays(fails("Some/Ggufs"), "holds 2 GGUF files: a.gguf, sub/b.gguf", ":a.gguf");
    Location named = hub().find(Location.of(HubName.model("Some/Ggufs:sub/b.gguf")));
    assertTrue(named.path().endsWith("sub/b.gguf"));
    assertSays(fails("Some/Ggufs:c.gguf"), "has no file c.gguf", "name one");
    assertEquals(0, server.count("GET", "a.gguf"));
  }

  @Test
  void neverFetchesPickles() {
    server
        .model(NAME)
        .commit("main", Map.of("config.json", bytes("{}"), "pytorch_model.bin", random(2000, 1)));
    assertSays(fails(NAME), "only pickled weights", "model.safetensors");
    server.model("No/Model").commit("main", Map.of("README.md", bytes("x")));
    assertSays(fails("No/Model"), "holds no model", "choose");
    assertEquals(0, server.count("HEAD", ".bin"));
  }

  @Test
  void fetchesAFileOfADataSet() throws IOException {
    byte[] rows = bytes("{\"question\": \"x\"}\n".repeat(100));
    String commit = server.dataset("Owner/Data").commit("main", Map.of("data/a b.jsonl", rows));
    Location found =
        hub().find(Location.of(HubName.file("hf://datasets/Owner/Data/data/a b.jsonl")));
    assertEquals(
        cache().resolve("datasets--Owner--Data/snapshots/" + commit + "/data/a b.jsonl"),
        found.path());
    assertEquals("hf://datasets/Owner/Data@" + commit + "/data/a b.jsonl", found.toString());
    assertArrayEquals(rows, Files.readAllBytes(found.path()));
    HubException e =
        assertThrows(
            HubException.class,
            () -> hub().find(Location.of(HubName.file("hf://datasets/Owner/Data/b.jsonl"))));
    assertSays(e, "datasets/Owner/Data has no file b.jsonl", "/datasets/Owner/Data/tree/main");
  }

  @Test
  void copiesWhereThereAreNoLinks() throws IOException {
    environment.put("HF_HUB_DISABLE_SYMLINKS", "1");
    byte[] weights = random(5000, 1);
    server.model(NAME).commit("main", files(weights));
    Path folder = hub().find(Location.of(MODEL)).path();
    try (Stream<Path> all = Files.walk(folder)) {
      assertTrue(all.noneMatch(Files::isSymbolicLink));
    }
    assertArrayEquals(weights, Files.readAllBytes(folder.resolve("model.safetensors")));
    server.requests.clear();
    assertEquals(folder, hub().find(Location.of(MODEL)).path());
    assertEquals(List.of(), server.requests);
  }

  @Test
  void oneProcessFetchesForAll() throws Exception {
    byte[] weights = small(server.model(NAME));
    String hash = FakeHub.sha("SHA-256", weights);
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    server.fault(
        "GET",
        hash,
        exchange -> {
          exchange.sendResponseHeaders(200, weights.length);
          exchange.getResponseBody().write(weights, 0, 1000);
          exchange.getResponseBody().flush();
          asked.countDown();
          await(go);
          exchange.getResponseBody().write(weights, 1000, weights.length - 1000);
          return true;
        });
    Process first = probe();
    await(asked);
    Process second = probe();
    // The second one says that it waits, and only then the first one gets the rest.
    try (BufferedReader told = second.errorReader()) {
      assertTrue(told.readLine().startsWith("waiting for another process"));
      go.countDown();
      assertEquals(0, second.waitFor(), () -> told.lines().collect(Collectors.joining("\n")));
    }
    assertEquals(0, first.waitFor());
    assertEquals(1, server.count("GET", hash));
    assertFetched(weights);
  }

  @Test
  void endsWithItsProcess() throws Exception {
    byte[] weights = small(server.model(NAME));
    String hash = FakeHub.sha("SHA-256", weights);
    CountDownLatch asked = new CountDownLatch(1);
    server.fault(
        "GET",
        hash,
        exchange -> {
          exchange.sendResponseHeaders(200, weights.length);
          exchange.getResponseBody().write(weights, 0, 1000);
          exchange.getResponseBody().flush();
          asked.countDown();
          await(new CountDownLatch(1)); // until the server is closed
          return true;
        });
    Process probe = probe();
    await(asked);
    Path partial = blobs().resolve(hash + ".hir.incomplete");
    while (!Files.exists(partial) || Files.size(partial) < 1000) {
      Thread.sleep(5);
    }
    probe.destroy();
    assertTrue(probe.waitFor(60, TimeUnit.SECONDS), "still waiting for the rest");
    assertEquals(1000, Files.size(partial));
    assertFetched(weights);
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(60, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private Process probe() throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            FetchProbe.class.getName(),
            NAME);
    builder.environment().put("HF_ENDPOINT", server.endpoint());
    builder.environment().put("HF_HUB_CACHE", cache().toString());
    return builder.start();
  }

  @Test
  void threadsOfOneProcessTakeTurns() throws Exception {
    byte[] weights = small(server.model(NAME));
    hub();
    List<Thread> threads = new ArrayList<>();
    List<Throwable> faults = new CopyOnWriteArrayList<>();
    for (int i = 0; i < 4; i++) {
      Thread thread =
          new Thread(
              () ->
                  new Hub(new HubSettings(environment, home), HubListener.NONE)
                      .find(Location.of(MODEL)));
      thread.setUncaughtExceptionHandler((t, e) -> faults.add(e));
      threads.add(thread);
      thread.start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(List.of(), faults);
    assertEquals(1, server.count("GET", FakeHub.sha("SHA-256", weights)));
    assertFetched(weights);
  }

  @Test
  void saysWhatTheDiskRefuses() throws IOException {
    small(server.model(NAME));
    Path file = Files.writeString(home.resolve("file"), "x");
    environment.put("HF_HUB_CACHE", file.toString());
    HubException e = fails(NAME);
    assertSays(e, "cannot write " + file, "HF_HUB_CACHE");

    environment.put("HF_HUB_CACHE", home.resolve("cache").toString());
    Path blobs = home.resolve("cache/models--Owner--Model-0.5B/blobs");
    Files.createDirectories(
        blobs.resolve(FakeHub.gitHash(bytes("{}")) + ".hir.incomplete/in the way"));
    assertSays(fails(NAME), "cannot write " + blobs, "permissions");
  }

  /** What others fetched may lie where nothing can be written. */
  @Test
  void aCacheThatCannotBeWrittenIsRead() throws IOException {
    server.model(NAME).commit("main", files(random(5000, 1)));
    Location found = hub().find(Location.of(MODEL));
    Path marks = cache().resolve("models--Owner--Model-0.5B/.no_exist");
    try (Stream<Path> all = Files.walk(marks)) {
      all.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    }
    Files.writeString(marks, "in the way, as a file system is that cannot be written");
    assertEquals(found, hub().find(Location.of(MODEL)));
    assertTrue(notes.get(0).contains("cannot write"), notes.toString());
  }

  @Test
  void goesThroughJavasProxy() throws IOException {
    byte[] config = bytes("{}");
    server.model(NAME).commit("main", Map.of("config.json", config, "model.safetensors", config));
    environment.put("HF_ENDPOINT", "http://hub.invalid");
    URI proxy = URI.create(server.endpoint());
    System.setProperty("http.proxyHost", proxy.getHost());
    System.setProperty("http.proxyPort", Integer.toString(proxy.getPort()));
    try {
      Path folder = hub().find(Location.of(MODEL)).path();
      assertArrayEquals(config, Files.readAllBytes(folder.resolve("config.json")));
    } finally {
      System.clearProperty("http.proxyHost");
      System.clearProperty("http.proxyPort");
    }
  }

  @Test
  void aContentIsHashedAsGitAndLfsDo() throws IOException {
    Path file = Files.write(home.resolve("x"), bytes("hello\n"));
    // git hash-object, sha256sum
    assertTrue(ContentHash.matches(file, "ce013625030ba8dba906f756967f9e9ca394464a"));
    assertTrue(
        ContentHash.matches(
            file, "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"));
    assertFalse(ContentHash.matches(file, "0".repeat(40)));
    assertFalse(ContentHash.matches(file, "0".repeat(64)));
    assertTrue(ContentHash.matches(file, "some-mirror-1"));
  }
}
