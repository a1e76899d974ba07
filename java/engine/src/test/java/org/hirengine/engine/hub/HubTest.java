package org.hirengine.engine.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
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
}
