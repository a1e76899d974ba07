package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BenchCommandTest {

  /** The keys of the benchmark's PyTorch side, in its order, and the ceilings of the machine. */
  private static final List<String> KEYS =
      List.of(
          "impl",
          "what",
          "shape",
          "dtype",
          "device",
          "threads",
          "batch",
          "group",
          "prompt_len",
          "new_tokens",
          "lengths",
          "repeats",
          "seconds_median",
          "seconds_min",
          "tokens_per_s",
          "gflops",
          "ceiling_gflops",
          "ceiling_share",
          "peak_rss_mb");

  @ParameterizedTest
  @ValueSource(strings = {"rollout", "logprob", "update", "step"})
  void printsOneLineWithThePeersKeys(String part) throws IOException {
    HirConsole run =
        HirConsole.run(
                "bench",
                part,
                "--batch",
                4,
                "--group",
                2,
                "--micro",
                2,
                "--prompt-len",
                5,
                "--new-tokens",
                3,
                "--repeats",
                2,
                "--threads",
                1)
            .succeeds();
    JsonNode row = new ObjectMapper().readTree(run.out());
    List<String> keys = new ArrayList<>();
    row.fieldNames().forEachRemaining(keys::add);
    assertEquals(KEYS, keys);
    assertEquals(part, row.get("what").asText());
    assertEquals("demo-2m", row.get("shape").asText());
    double seconds = row.get("seconds_median").asDouble();
    assertTrue(seconds >= row.get("seconds_min").asDouble());
    int tokens = part.equals("rollout") || part.equals("step") ? 4 * 3 : 4 * 8;
    double rate = row.get("tokens_per_s").asDouble();
    // Seconds are rounded to tenths of a millisecond, rates to tenths of a token.
    double rounding = 0.0001 + 0.05 * tokens / (rate * rate);
    assertEquals(seconds, tokens / rate, rounding);
    assertTrue(row.get("peak_rss_mb").asLong() > 10);
  }

  /**
   * Prompts of 2 and 8 tokens (1 and 4 quarters); in each group, responses of 1 to 8 tokens once
   * each.
   */
  @ParameterizedTest
  @ValueSource(strings = {"rollout", "update"})
  void mixedLengthsCountRealTokens(String part) throws IOException {
    HirConsole run =
        HirConsole.run(
                "bench",
                part,
                "--lengths",
                "mixed",
                "--batch",
                16,
                "--group",
                8,
                "--micro",
                8,
                "--prompt-len",
                8,
                "--new-tokens",
                8,
                "--repeats",
                1,
                "--threads",
                1)
            .succeeds();
    JsonNode row = new ObjectMapper().readTree(run.out());
    assertEquals("mixed", row.get("lengths").asText());
    int tokens = 2 * 36 + (part.equals("update") ? 8 * (2 + 8) : 0);
    double rate = row.get("tokens_per_s").asDouble();
    assertEquals(
        row.get("seconds_median").asDouble(), tokens / rate, 0.0001 + 0.05 * tokens / rate / rate);
    double share = row.get("gflops").asDouble() / row.get("ceiling_gflops").asDouble();
    assertEquals(share, row.get("ceiling_share").asDouble(), 0.01);
  }

  @Test
  void impossibleSizesAreNamed() {
    HirConsole.run("bench", "rollout", "--shape", "huge").failsWith(1, "unknown shape huge");
    HirConsole.run("bench", "rollout", "--batch", 5, "--group", 2).failsWith(1, "batch (5)");
    HirConsole.run("bench", "everything").failsWith(2, "everything");
  }
}
