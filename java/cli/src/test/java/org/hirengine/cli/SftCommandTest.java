package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code hir sft} as a user sees it, on generated pairs of the demo's world. */
class SftCommandTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;
  private Path model;
  private Path config;
  private Path out;

  @BeforeEach
  void prepare() throws IOException {
    model = DemoPolicy.in(folder);
    HirConsole.run("demo-data", "--part", "skill", "--seed", 4, "--pairs", 64, "--out", folder)
        .succeeds();
    out = folder.resolve("trained");
    config =
        Files.writeString(
            folder.resolve("sft.yaml"),
            """
            model: model
            data: pairs.jsonl
            out: trained
            threads: 1
            batch: 16
            max_tokens: 160
            optim: {lr: 1e-3}
            """);
  }

  /** The reported loss is that of hir score, and it falls. */
  @Test
  void learnsPairsAndWritesAModelFolder() throws IOException {
    double before = meanLoss(model);
    JsonNode report = sft("epochs=6");
    assertEquals(24, report.get("updates").asInt());
    assertEquals(out.toString(), report.get("out").asText());
    double after = meanLoss(out);
    assertTrue(after < before - 0.1, before + " -> " + after);

    JsonNode whole = sft("steps=1", "batch=64", "out=" + folder + "/one");
    assertEquals(before, whole.get("loss").asDouble(), 1e-4 * before, "before the update");
    assertEquals(
        Files.readString(model.resolve("tokenizer.json")),
        Files.readString(out.resolve("tokenizer.json")));
  }

  /** Recomputation and small micro-batches change memory and time, but not the weights. */
  @Test
  void memoryOptionsDoNotChangeTheModel() throws IOException {
    sft("steps=3");
    byte[] kept = Files.readAllBytes(out.resolve("model.safetensors"));
    sft("steps=3", "recompute=true", "out=" + folder + "/recomputed");
    double loss = meanLoss(out);
    assertEquals(loss, meanLoss(folder.resolve("recomputed")), 1e-5 * loss);
    sft("steps=3", "micro_tokens=200", "out=" + folder + "/small");
    assertEquals(loss, meanLoss(folder.resolve("small")), 1e-5 * loss);
    sft("steps=3", "seed=9", "out=" + folder + "/other");
    assertFalse(Arrays.equals(kept, Files.readAllBytes(folder.resolve("other/model.safetensors"))));
  }

  @Test
  void whatCannotWorkIsNamedAndWritesNothing() throws IOException {
    HirConsole.run("sft", config, "bacth=3").failsWith(2, "batch");
    HirConsole.run("sft", config, "init=model").failsWith(2, "model or init");
    HirConsole.run("sft", config, "data=" + folder + "/none.jsonl")
        .failsWith(1, "none.jsonl: no such file");
    HirConsole.run("sft", config, "max_tokens=3").failsWith(1, "holds no pair of at most 3 tokens");
    HirConsole.run("sft", config, "model=" + folder + "/none").failsWith(1, "none");
    assertFalse(Files.exists(out));
    sft("steps=1");
    HirConsole.run("sft", config).failsWith(1, out + " is not empty");
    HirConsole.run("sft", config, "steps=1", "--overwrite").succeeds();
  }

  private JsonNode sft(String... settings) throws IOException {
    List<Object> words = new ArrayList<>(List.of("sft", config, "--json"));
    words.addAll(List.of(settings));
    return JSON.readTree(HirConsole.run(words.toArray()).succeeds().out());
  }

  /** Cross-entropy per response token by hir score, including the stop token. */
  private double meanLoss(Path scorer) throws IOException {
    List<String> rows = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve("pairs.jsonl"))) {
      JsonNode pair = JSON.readTree(line);
      rows.add(
          JSON.createObjectNode()
              .put("prompt", prompt(pair))
              .put("response", pair.get("response").asText() + "<|im_end|>")
              .toString());
    }
    Path in = Files.write(folder.resolve("score.jsonl"), rows);
    Path scored = folder.resolve("scored.jsonl");
    HirConsole.run("score", "--model", scorer, "--in", in, "--out", scored, "--threads", 1)
        .succeeds();
    double sum = 0;
    int tokens = 0;
    for (String line : Files.readAllLines(scored)) {
      for (JsonNode logprob : JSON.readTree(line).get("logprobs")) {
        sum -= logprob.asDouble();
        tokens++;
      }
    }
    return sum / tokens;
  }

  /** Template type1: the question and the sentences, separated by blanks. */
  private static String prompt(JsonNode pair) {
    StringBuilder text = new StringBuilder(pair.get("question").asText());
    pair.get("criteria").forEach(sentence -> text.append(' ').append(sentence.asText()));
    return text.toString();
  }
}
