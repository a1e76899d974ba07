package org.hirengine.engine.config;

/** Limits beyond which a step raises a warning and a metric; the run continues. */
public record GuardsSection(
    @Key(doc = "Warns if mean token entropy falls below this (nats).", value = "0.02", min = 0)
        double minEntropy,
    @Key(doc = "Warns if the mean KL from the reference exceeds this.", value = "1", min = 0)
        double maxKl,
    @Key(
            doc = "Warns if log-probs of decoding and scoring differ by more than this on average.",
            value = "0.02",
            min = 0)
        double maxMismatch,
    @Key(
            doc = "Warns if a larger fraction of responses reaches the token limit.",
            value = "0.5",
            min = 0,
            max = 1)
        double maxTruncated,
    @Key(
            doc = "Warns if a larger fraction of verdicts failed (exceptions and spent budgets).",
            value = "0.01",
            min = 0,
            max = 1)
        double maxVerifierFailures,
    @Key(
            doc =
                "Warns where more held-out answers satisfy all constraints by saying nothing"
                    + " (fraction).",
            value = "0.1",
            min = 0,
            max = 1)
        double maxHollow) {}
