package org.hirengine.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.hirengine.engine.config.SftConfig;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.hub.FakeHub;
import org.hirengine.engine.hub.Hub;
import org.hirengine.engine.hub.HubListener;
import org.hirengine.engine.hub.HubName;
import org.hirengine.engine.hub.HubSettings;
import org.hirengine.engine.runs.RunFolder;
import org.hirengine.engine.train.SftTrainer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training with a model and data from the Hub. */
class HubRunTest {

  private static final String DATA = "hf://datasets/Tiny/Data/train.jsonl";

  @TempDir Path temp;

  private final FakeHub server = new FakeHub();
  private TinyWorld world;
  private Hub hub;

  @BeforeEach
  void world() throws IOException {
    world = new TinyWorld(temp);
    hub =
        new Hub(new HubSettings(Map.of("HF_ENDPOINT", server.endpoint()), temp), HubListener.NONE);
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private Map<String, byte[]> model() throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    try (Stream<Path> all = Files.list(world.model())) {
      for (Path file : all.toList()) {
        files.put(file.getFileName().toString(), Files.readAllBytes(file));
      }
    }
    return files;
  }

  private TrainConfig config(String... more) {
    return world.config(
        "run",
        Stream.concat(
                Stream.of("model=Tiny/Model", "data.train=" + DATA, "train.steps=1"),
                Stream.of(more))
            .toArray(String[]::new));
  }

  private void run(TrainConfig config, RunFolder.Existing existing) throws IOException {
    try (HirTrainer trainer =
        HirTrainer.builder().config(config).hub(hub).existing(existing).build()) {
      trainer.run();
    }
  }

  private List<String> recorded() throws IOException {
    return Files.readAllLines(temp.resolve("run").resolve(RunFolder.CONFIG)).stream()
        .map(String::strip)
        .filter(line -> line.startsWith("model:") || line.startsWith("train: \""))
        .collect(Collectors.toList());
  }

  @Test
  void aRunRecordsTheCommitAndIsContinuedOnIt() throws IOException {
    String model = server.model("Tiny/Model").commit("main", model());
    Map<String, byte[]> data =
        Map.of("train.jsonl", Files.readAllBytes(temp.resolve("train.jsonl")));
    String rows = server.dataset("Tiny/Data").commit("main", data);
    run(config(), RunFolder.Existing.REFUSE);
    List<String> expected =
        List.of(
            "model: \"Tiny/Model@" + model + "\"",
            "train: \"hf://datasets/Tiny/Data@" + rows + "/train.jsonl\"");
    assertEquals(expected, recorded());

    // The Hub and the cache now have a newer commit; a resumed run keeps its own.
    Map<String, byte[]> other = model();
    other.get("model.safetensors")[other.get("model.safetensors").length - 1] ^= 1;
    String next = server.model("Tiny/Model").commit("main", other);
    assertTrue(hub.fetch(HubName.model("Tiny/Model")).toString().endsWith(next));

    run(config("train.steps=2"), RunFolder.Existing.RESUME);
    assertEquals(expected, recorded());
    run(config("train.steps=3", "model=Tiny/Model@main"), RunFolder.Existing.RESUME);
    assertEquals(expected, recorded());
    assertEquals(3, Runs.metrics(temp.resolve("run")).size());

    run(config(), RunFolder.Existing.OVERWRITE);
    assertEquals("model: \"Tiny/Model@" + next + "\"", recorded().get(0));
  }

  @Test
  void supervisedTrainingTakesNamesToo() throws IOException {
    server.model("Tiny/Model").commit("main", model());
    String row = "{\"prompt\": \"write about river\", \"response\": \"river stone\"}\n";
    server
        .dataset("Tiny/Data")
        .commit(
            "main",
            Map.of("train.jsonl", row.repeat(4).getBytes(java.nio.charset.StandardCharsets.UTF_8)));
    SftConfig config =
        SftConfig.of(
            List.of("model=Tiny/Model", "data=" + DATA, "out=" + temp.resolve("sft"), "steps=1"));
    try (SftTrainer trainer = SftTrainer.open(config, hub)) {
      assertEquals(4, trainer.pairs());
      trainer.run(progress -> {});
    }
    assertTrue(Files.exists(temp.resolve("sft/model.safetensors")));
  }
}
