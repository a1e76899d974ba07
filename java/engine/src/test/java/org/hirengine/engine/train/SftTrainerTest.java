package org.hirengine.engine.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;
import org.hirengine.engine.config.ConfigException;
import org.hirengine.engine.config.SftConfig;
import org.hirengine.engine.experience.TrainingRow;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.runtime.NativeExecutor;
import org.hirengine.replay.DataException;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SftTrainerTest {

  @TempDir Path folder;

  private Path init() throws IOException {
    Path init = Files.createDirectories(folder.resolve("init"));
    Path tokenizer = SharedData.require("golden/tokenizer/qwen_like");
    for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
      Files.copy(tokenizer.resolve(name), init.resolve(name));
    }
    Files.copy(
        SharedData.require("golden/models/qwen3-tiny/config.json"), init.resolve("config.json"));
    Files.copy(
        SharedData.require("golden/tokenizer/templates/qwen3_instruct_2507.jinja"),
        init.resolve("chat_template.jinja"));
    return init;
  }

  private SftConfig config(Path init, String... settings) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "init=" + init,
                "data=" + folder.resolve("pairs.jsonl"),
                "out=" + folder.resolve("out"),
                "threads=1",
                "batch=4",
                "seed=3",
                "optim.lr=3e-3",
                "optim.weight_decay=0"));
    all.addAll(List.of(settings));
    return SftConfig.of(all);
  }

  /** The model does not change, and a saved adapter continues where it stopped. */
  @Test
  void trainsAnAdapter() throws IOException {
    pairs(
        "{\"prompt\": \"The capital of France\", \"response\": \"Paris\"}",
        "{\"prompt\": \"The capital of Peru\", \"response\": \"Lima\"}",
        "{\"prompt\": \"Two and two\", \"response\": \"make four\"}");
    Path model = folder.resolve("model");
    try (SftTrainer trainer = SftTrainer.open(config(init(), "steps=1", "out=" + model))) {
      trainer.run(progress -> {});
    }
    String[] adapted = {
      "init=null", "model=" + model, "steps=40", "optim.lr=2e-2", "lora.targets=[q, v, down]"
    };
    List<SftTrainer.Progress> progress = new ArrayList<>();
    Path out = folder.resolve("out");
    try (SftTrainer trainer =
        SftTrainer.open(config(model, with(adapted, "lora.rank=8", "out=" + out)))) {
      trainer.run(progress::add);
    }
    double first = progress.get(0).loss();
    double last = progress.get(progress.size() - 1).loss();
    assertTrue(last < first - 0.5, first + " to " + last);
    assertTrue(Files.exists(out.resolve("adapter_model.safetensors")));
    assertFalse(Files.exists(out.resolve("model.safetensors")));

    progress.clear();
    try (SftTrainer trainer =
        SftTrainer.open(
            config(model, with(adapted, "adapter=" + out, "out=" + folder.resolve("more"))))) {
      progress.add(trainer.step());
    }
    assertEquals(last, progress.get(0).loss(), 0.25);
    assertThrows(ConfigException.class, () -> config(model, "lora.rank=4"));
  }

  /** Left open, a micro-batch is as large as the memory allows. */
  @Test
  void takesAsManyTokensAtOnceAsFit() throws IOException {
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.put("model_type", "qwen3").put("vocab_size", 4096).put("hidden_size", 512);
    json.put("intermediate_size", 1536).put("num_hidden_layers", 8).put("head_dim", 64);
    json.put("num_attention_heads", 8).put("num_key_value_heads", 4);
    json.put("max_position_embeddings", 4096).put("rms_norm_eps", 1e-6);
    json.put("rope_theta", 10000.0).put("tie_word_embeddings", true);
    ModelConfig model = ModelConfig.parse("medium", json);
    float[] advantages = new float[700];
    Pairs pairs =
        new Pairs(
            List.of(
                new TrainingRow(new int[300], new int[700], null, null, advantages, false),
                new TrainingRow(new int[20], new int[9], null, null, new float[9], false)),
            0,
            0,
            List.of());
    SftConfig open = SftConfig.of(List.of("init=i", "data=d", "out=o"));
    try (NativeExecutor executor = new NativeExecutor(1)) {
      ToIntFunction<Long> tokens =
          gib -> executor.call(() -> SftPlan.microTokens(open, model, pairs, gib << 28));
      assertEquals(16384, tokens.applyAsInt(256L)); // 64 GiB
      int before = 16384;
      for (long quarters = 32; quarters >= 3; quarters--) {
        int now = tokens.applyAsInt(quarters);
        assertTrue(now <= before, quarters + ": " + now);
        before = now;
      }
      assertTrue(before <= 512, "3/4 GiB: " + before);
      SftConfig fixed = SftConfig.of(List.of("init=i", "data=d", "out=o", "micro_tokens=77"));
      assertEquals(77, executor.call(() -> SftPlan.microTokens(fixed, model, pairs, 1)));
    }
    pairs("{\"prompt\": \"a\", \"response\": \"b\"}");
    try (SftTrainer trainer = SftTrainer.open(config(init()))) {
      assertEquals(1, Integer.bitCount(trainer.microTokens()));
      assertTrue(trainer.microTokens() >= 256);
    }
  }

  private static String[] with(String[] settings, String... more) {
    return Stream.of(settings, more).flatMap(Stream::of).toArray(String[]::new);
  }

  private void pairs(String... lines) throws IOException {
    Files.writeString(folder.resolve("pairs.jsonl"), String.join("\n", lines) + "\n");
  }

  @Test
  void learnsPairsByHeartAndContinuesFromItsFolder() throws IOException {
    pairs(
        "{\"prompt\": \"The capital of France\", \"response\": \"Paris\"}",
        "{\"prompt\": \"The capital of Peru\", \"response\": \"Lima\"}",
        "{\"prompt\": \"Two and two\", \"response\": \"make four\"}",
        "{\"question\": \"Say\", \"criteria\": [\"no\"], \"response\": \"nothing\"}",
        "{\"prompt\": \"" + "long ".repeat(60) + "\", \"response\": \"left out\"}");
    Path init = init();
    List<SftTrainer.Progress> progress = new ArrayList<>();
    try (SftTrainer trainer =
        SftTrainer.open(config(init, "steps=60", "max_tokens=50", "optim.lr=1e-2"))) {
      assertEquals(4, trainer.pairs());
      assertEquals(1, trainer.tooLong());
      trainer.run(progress::add);
    }
    assertEquals(60, progress.size());
    // An untrained model has about the entropy of 512 equally likely tokens.
    assertEquals(Math.log(512), progress.get(0).loss(), 0.3);
    assertTrue(progress.get(59).loss() < 0.05, progress.get(59).toString());
    assertTrue(Files.exists(folder.resolve("out/tokenizer.json")));

    SftConfig again =
        SftConfig.of(
            List.of(
                "model=" + folder.resolve("out"),
                "data=" + folder.resolve("pairs.jsonl"),
                "out=" + folder.resolve("second"),
                "max_tokens=50",
                "batch=4",
                "steps=1"));
    try (SftTrainer trainer = SftTrainer.open(again)) {
      assertEquals(progress.get(59).loss(), trainer.step().loss(), 0.05);
    }
  }

  @Test
  void theSameSeedGivesTheSameWeights() throws IOException {
    pairs(
        "{\"prompt\": \"a\", \"response\": \"b\"}",
        "{\"prompt\": \"b\", \"response\": \"c\"}",
        "{\"prompt\": \"c\", \"response\": \"d e f\"}");
    Path init = init();
    List<byte[]> weights = new ArrayList<>();
    for (String out : List.of("one", "two")) {
      SftConfig config = config(init, "batch=2", "epochs=4", "out=" + folder.resolve(out));
      try (SftTrainer trainer = SftTrainer.open(config)) {
        trainer.run(p -> assertEquals(8, p.updates()));
      }
      weights.add(Files.readAllBytes(folder.resolve(out).resolve("model.safetensors")));
    }
    assertArrayEquals(weights.get(0), weights.get(1));
  }

  /** One pair, in every layout of supervised data. */
  @Test
  void readsPairsInEveryLayout() throws IOException {
    Path init = init();
    List<Double> losses = new ArrayList<>();
    String user = "{\"role\": \"user\", \"content\": \"Two and two\"}";
    String assistant = "{\"role\": \"assistant\", \"content\": \"make four\"}";
    for (String layout :
        List.of(
            "{\"prompt\": \"Two and two\", \"response\": \"make four\"}",
            "{\"prompt\": \"Two and two\", \"completion\": \"make four\"}",
            "{\"prompt\": [" + user + "], \"completion\": [" + assistant + "]}",
            "{\"messages\": [" + user + ", " + assistant + "]}",
            "{\"messages\": [" + user + "], \"response\": \"make four\"}")) {
      pairs(layout);
      try (SftTrainer trainer = SftTrainer.open(config(init, "batch=1"))) {
        losses.add(trainer.step().loss());
      }
    }
    assertEquals(1, losses.stream().distinct().count(), losses.toString());
    // Earlier turns of the assistant belong to the prompt; only the last one is learned.
    pairs("{\"messages\": [" + user + ", " + assistant + ", " + user + ", " + assistant + "]}");
    try (SftTrainer trainer = SftTrainer.open(config(init, "batch=1"))) {
      SftTrainer.Progress progress = trainer.step();
      assertTrue(Math.abs(progress.loss() - losses.get(0)) > 1e-6, progress.toString());
    }
  }

  @Test
  void controlTokensOfPairsAreReadOrSplit() throws IOException {
    Path init = init();
    pairs("{\"prompt\": \"a\", \"response\": \"<|im_end|><|im_end|>\"}");
    try (SftTrainer trainer = SftTrainer.open(config(init))) {
      assertEquals(1, trainer.controlTokens());
    }
    List<Long> tokens = new ArrayList<>();
    for (String how : List.of("read", "split")) {
      try (SftTrainer trainer = SftTrainer.open(config(init, "batch=1", "control_tokens=" + how))) {
        tokens.add(trainer.step().tokens());
      }
    }
    assertEquals(3, tokens.get(0));
    assertTrue(tokens.get(1) > 6, tokens.toString());
  }

  @Test
  void saysWhichPairIsWrong() throws IOException {
    Path init = init();
    pairs("{\"prompt\": \"a\", \"response\": \"b\"}", "{\"id\": \"x7\", \"prompt\": \"a\"}");
    DataException missing = assertThrows(DataException.class, () -> SftTrainer.open(config(init)));
    assertTrue(
        missing.getMessage().endsWith("pairs.jsonl:2: field 'response': is missing"),
        missing.getMessage());
    for (String bad :
        List.of(
            "{\"prompt\": \"a\", \"completion\": 5}",
            "{\"prompt\": \"a\", \"completion\": []}",
            "{\"prompt\": \"a\", \"completion\": [{\"role\": \"user\", \"content\": \"b\"}]}",
            "{\"messages\": [{\"role\": \"user\", \"content\": \"b\"}]}",
            "{\"messages\": [{\"role\": \"assistant\", \"content\": \"b\"}]}",
            "{\"messages\": [{\"role\": \"user\", \"content\": \"b\"},"
                + " {\"role\": \"assistant\", \"content\": [1]}]}")) {
      pairs("{\"prompt\": \"a\", \"response\": \"b\"}", bad);
      DataException e = assertThrows(DataException.class, () -> SftTrainer.open(config(init)), bad);
      assertTrue(e.getMessage().contains("pairs.jsonl:2: field '"), e.getMessage());
    }
    pairs("{\"prompt\": \"a b c\", \"response\": \"d\"}");
    DataException none =
        assertThrows(DataException.class, () -> SftTrainer.open(config(init, "max_tokens=2")));
    assertTrue(none.remedy().contains("max_tokens"));
  }
}
