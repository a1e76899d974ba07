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
                "GiB for keys and values of the rows decoded at once; null takes what the run's"
                    + " memory plan leaves, at most 4. Results do not depend on it.",
            value = "null",
            min = 0.001,
            max = 1e6)
        @Nullable Double cacheGib) {}
