package org.hirengine.engine.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Which files of a repository are fetched, and where they are stored. */
class HubFetchTest extends AbstractHubTest {

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

  /** A mirror that stores large files itself, under other names. */
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
}
