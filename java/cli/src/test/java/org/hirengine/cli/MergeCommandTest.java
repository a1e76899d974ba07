package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code hir merge} and {@code --adapter} as a user sees them. */
class MergeCommandTest {

  @TempDir Path temp;

  private double score(Path model, Path... adapter) throws IOException {
    Path in = temp.resolve("in.jsonl");
    Path out = temp.resolve("out.jsonl");
    Files.writeString(in, "{\"input_ids\": [1, 7, 300, 12, 9, 44], \"response_start\": 2}\n");
    Files.deleteIfExists(out);
    Object[] command = {"score", "--model", model, "--in", in, "--out", out};
    if (adapter.length > 0) {
      command =
          new Object[] {
            "score", "--model", model, "--adapter", adapter[0], "--in", in, "--out", out
          };
    }
    HirConsole.run(command).succeeds();
    double sum = 0;
    for (JsonNode logprob : new ObjectMapper().readTree(Files.readString(out)).path("logprobs")) {
      sum += logprob.asDouble();
    }
    return sum;
  }

  @Test
  void whatIsMergedScoresAsWithTheAdapter() throws IOException {
    Path model = SharedData.require("golden/models/qwen3-tiny");
    Path adapter = SharedData.require("golden/peft/qwen3-patterns");
    Path merged = temp.resolve("merged");
    HirConsole run =
        HirConsole.run("merge", "--model", model, "--adapter", adapter, merged).succeeds();
    assertTrue(run.out().startsWith("wrote " + merged + " (F32): "), run.out());
    assertTrue(run.out().contains("qwen3-tiny with "), run.out());
    assertTrue(run.out().contains("log-probs of 128 random tokens differ by "), run.out());
    double with = score(model, adapter);
    assertEquals(with, score(merged), 1e-4);
    assertNotEquals(with, score(model), 1e-2);
    HirConsole.run("merge", "--model", model, "--adapter", adapter, merged)
        .failsWith(1, "is a folder with files in it");
    HirConsole.run(
            "merge", "--model", model, "--adapter", adapter, temp.resolve("x"), "--type=Q8_0")
        .failsWith(2, "ends in .gguf");
    HirConsole.run("merge", "--model", model, "--adapter", model, temp.resolve("x"))
        .failsWith(1, "adapter_config.json");
    HirConsole.run("evaluate", "--bench", "ifeval", "--responses", "x", "--adapter", adapter)
        .failsWith(2, "--adapter goes with --model");
  }
}
