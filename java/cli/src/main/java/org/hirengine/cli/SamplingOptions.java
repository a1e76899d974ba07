package org.hirengine.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import org.hirengine.engine.rollout.RolloutParams;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a command samples responses. */
final class SamplingOptions {

  private static final int DEFAULT_MAX_TOKENS = 1024;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "Sampling temperature; 0 is greedy (default: 1; hir evaluate: 0).")
  private @Nullable Double temperature;

  @Option(
      names = "--top-k",
      defaultValue = "0",
      paramLabel = "K",
      description = "Only the K likeliest tokens; 0 is off.")
  private int topK;

  @Option(
      names = "--top-p",
      defaultValue = "1",
      paramLabel = "P",
      description = "Only the likeliest tokens that add up to P; 1 is off.")
  private double topP;

  @Option(
      names = "--min-p",
      defaultValue = "0",
      paramLabel = "P",
      description = "Only tokens at least P times as likely as the likeliest; 0 is off.")
  private double minP;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description =
          "Most tokens of a response (default: what the model's positions leave to the longest"
              + " prompt, at most 1024).")
  private @Nullable Integer maxTokens;

  @Option(
      names = "--seed",
      defaultValue = "0",
      paramLabel = "S",
      description = "Seed; the same seed gives the same responses (default: ${DEFAULT-VALUE}).")
  private long seed;

  /** Seed of all random choices. */
  long seed() {
    return seed;
  }

  /**
   * Adds the options that determine responses to {@code setup}.
   *
   * @param defaultTemperature if the command line names none
   */
  void describe(ObjectNode setup, double defaultTemperature) {
    setup.put("temperature", temperature == null ? defaultTemperature : temperature);
    setup.put("top_k", topK).put("top_p", topP).put("min_p", minP);
    setup.put("max_tokens", maxTokens);
    setup.put("seed", seed);
  }

  /** Tokens that a response must have room for after its prompt. */
  int room() {
    if (maxTokens != null && maxTokens < 1) {
      throw new Failure("--max-tokens " + maxTokens + " is below 1", "give a response some room");
    }
    return maxTokens == null ? 1 : maxTokens;
  }

  /** Says that a prompt of {@code length} tokens leaves no room for a response. */
  String noRoom(String prompt, int length, int positions) {
    return String.format(
        Locale.ROOT,
        "%s has %d tokens, which leaves no room for %d new ones in the model's %d positions",
        prompt,
        length,
        room(),
        positions);
  }

  /**
   * The parameters for prompts of at most {@code longest} tokens.
   *
   * @param positions of the model
   * @param defaultTemperature if the command line names none
   */
  RolloutParams params(int longest, int positions, double defaultTemperature) {
    int most = maxTokens == null ? Math.min(DEFAULT_MAX_TOKENS, positions - longest) : maxTokens;
    double t = temperature == null ? defaultTemperature : temperature;
    try {
      return new RolloutParams(most, t, topK, topP, minP);
    } catch (IllegalArgumentException e) {
      throw new Failure(e.getMessage(), "correct the sampling option; --help shows their ranges");
    }
  }
}
