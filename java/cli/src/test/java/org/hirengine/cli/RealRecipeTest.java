package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.hirengine.engine.config.TrainConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checks data/real against the commands in its README. */
class RealRecipeTest {

  private static final Path REAL = Path.of(System.getProperty("hir.root"), "data", "real");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "requests.jsonl, 1024, 1, train.jsonl",
    "requests-heldout.jsonl, 160, 2, heldout.jsonl"
  })
  void instructionsAreThoseThatTheCommandsMake(String requests, int n, int seed, String made)
      throws IOException {
    Path out = folder.resolve(made);
    HirConsole.run(
            "compose",
            "--bench",
            "ifeval",
            "--min",
            1,
            "--max",
            3,
            "--n",
            n,
            "--seed",
            seed,
            "--seeds",
            REAL.resolve(requests),
            "--out",
            out)
        .succeeds();
    assertEquals(-1, Files.mismatch(REAL.resolve(made), out), made);
    assertTrue(
        Files.readString(REAL.resolve("README.md"))
            .replaceAll(" +", " ")
            .contains(
                "compose --bench ifeval --min 1 --max 3 --n %d --seed %d --seeds data/real/%s --out %s"
                    .formatted(n, seed, requests, made)));
  }

  @Test
  void whatIsTestedOnIsNotTrainedOn() throws IOException {
    Set<String> train = texts("requests.jsonl", "question");
    Set<String> heldOut = texts("requests-heldout.jsonl", "question");
    Set<String> ifeval = texts("ifeval.jsonl", "prompt");
    assertEquals(324, train.size());
    assertEquals(80, heldOut.size());
    assertEquals(541, ifeval.size());
    for (String request : train) {
      assertTrue(!heldOut.contains(request), request);
      assertTrue(ifeval.stream().noneMatch(prompt -> prompt.contains(request)), request);
    }
    assertEquals(train, texts("train.jsonl", "question"));
    assertEquals(heldOut, texts("heldout.jsonl", "question"));
  }

  @Test
  void configurationReads() {
    TrainConfig config =
        TrainConfig.load(REAL.resolve("hir-achieve.yaml"), List.of("out=" + folder));
    assertEquals("hir-achieve", config.algorithmName());
  }

  private static Set<String> texts(String file, String field) throws IOException {
    Set<String> texts = new HashSet<>();
    for (String line : Files.readAllLines(REAL.resolve(file))) {
      JsonNode row = JSON.readTree(line);
      texts.add(row.get(field).asText());
    }
    return texts;
  }
}
