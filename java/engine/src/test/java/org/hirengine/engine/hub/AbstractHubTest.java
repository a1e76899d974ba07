package org.hirengine.engine.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
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
import org.junit.jupiter.api.io.TempDir;

/** Base of tests against a fake Hub. */
abstract class AbstractHubTest {

  static final String NAME = "Owner/Model-0.5B";
  static final HubName MODEL = HubName.model(NAME);

  @TempDir Path home;

  final FakeHub server = new FakeHub();
  final Map<String, String> environment = new HashMap<>();
  final List<String> notes = new ArrayList<>();
  final List<Duration> waits = new ArrayList<>();
  final List<Long> progress = new ArrayList<>();

  @AfterEach
  void stop() {
    server.close();
  }

  Hub hub() {
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

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static byte[] random(int size, long seed) {
    byte[] content = new byte[size];
    new Random(seed).nextBytes(content);
    return content;
  }

  /** A typical repository: the needed files, and many others. */
  static Map<String, byte[]> files(byte[] weights) {
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

  /** A large file, which is behind a redirect, and the files that every folder needs. */
  byte[] small(FakeHub.Repository repository) {
    byte[] weights = random(200_000, 7);
    repository.commit("main", Map.of("config.json", bytes("{}"), "model.safetensors", weights));
    return weights;
  }

  Path cache() {
    return home.resolve(".cache/huggingface/hub");
  }

  Path blobs() {
    return cache().resolve("models--Owner--Model-0.5B/blobs");
  }

  static Set<String> below(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(file -> !Files.isDirectory(file))
          .map(file -> folder.relativize(file).toString())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  HubException fails(String name) {
    HubException e =
        assertThrows(HubException.class, () -> hub().find(Location.of(HubName.model(name))));
    assertFalse(e.getMessage().isBlank());
    assertFalse(e.remedy().isBlank());
    for (String secret : List.of("hf_secret", "X-Amz")) {
      assertFalse((e + e.remedy() + notes).contains(secret), e.getMessage());
    }
    return e;
  }

  void assertSays(HubException e, String message, String remedy) {
    assertTrue(e.getMessage().contains(message), e.getMessage());
    assertTrue(e.remedy().contains(remedy), e.remedy());
  }

  void assertFetched(byte[] weights) throws IOException {
    Path file = hub().find(Location.of(MODEL)).path().resolve("model.safetensors");
    assertArrayEquals(weights, Files.readAllBytes(file));
    assertEquals(2, below(blobs()).size(), "nothing is left over");
  }
}
