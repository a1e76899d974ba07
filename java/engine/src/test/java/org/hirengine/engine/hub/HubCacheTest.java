package org.hirengine.engine.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The cache: offline, filled by other tools, shared by revisions, or read-only. */
class HubCacheTest extends AbstractHubTest {

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

  /** A cache filled by a Python tool: no marks for absent files, and not all files. */
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

  /** Files that others fetched may be in a read-only folder. */
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
}
