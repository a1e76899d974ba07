package org.hirengine.engine.config;

import org.jspecify.annotations.Nullable;

/** Section {@code sampling} of a training run's configuration: how responses are drawn. */
public record SamplingSection(
    @Key(doc = "Temperature of sampling, and of all log-probs.", value = "1", min = 0.01, max = 100)
        double temperature,
    @Key(
            doc =
                "Keeps the k likeliest tokens; 0 is off, as training requires: its loss uses the"
                    + " probabilities among all tokens.",
            value = "0",
            min = 0,
            max = 1e9)
        int topK,
    @Key(
            doc = "Keeps the likeliest tokens that add up to p; 1 is off (see sampling.top_k).",
            value = "1",
            min = 1e-9,
            max = 1)
        double topP,
    @Key(
            doc =
                "Drops tokens less likely than p times the likeliest; 0 is off (see"
                    + " sampling.top_k).",
            value = "0",
            min = 0,
            max = 1)
        double minP,
    @Key(doc = "Most rows decoded at once; null is 256.", value = "null", min = 1, max = 1e6)
        @Nullable Integer batch,
    @Key(
            doc =
                "GiB for keys and values of the rows decoded at once, which take them as they grow;"
                    + " if they are short, the youngest rows wait. null takes what the run's memory"
                    + " plan leaves, at most 4. Results do not depend on it.",
            value = "null",
            min = 0.001,
            max = 1e6)
        @Nullable Double cacheGib,
    @Key(
            doc =
                "Where old log-probs and entropies of responses come from: decoded takes the"
                    + " decoder's, scored computes them once more by a pass over all responses;"
                    + " auto takes the decoder's where both are equal bit for bit (on a CPU, not"
                    + " with LibTorch's operators), which saves a tenth to a sixth of a step."
                    + " In every 16th step, from the first on, both are computed and compared.",
            value = "auto")
        Logprobs logprobs) {

  /** Where old log-probs and entropies come from. */
  public enum Logprobs {
    AUTO,
    DECODED,
    SCORED;

    /**
     * Whether they are the decoder's.
     *
     * @param exact whether the decoder's are those of scoring, bit for bit
     */
    public boolean decoded(boolean exact) {
      return this == DECODED || this == AUTO && exact;
    }
  }
}
