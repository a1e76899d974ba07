package org.hirengine.engine.config;

import org.hirengine.engine.algo.LossAggregation;
import org.jspecify.annotations.Nullable;

/** Section {@code loss} of a training run's configuration: the clipped policy loss. */
public record LossSection(
    @Key(
            doc = "Lower clip range of the ratio.",
            value = "0.2",
            min = 0,
            max = 1,
            elsewhere = {"clip_ratio", "clip_range", "cliprange", "clip_eps"})
        double clipLow,
    @Key(doc = "Upper clip range of the ratio.", value = "0.2", min = 0, max = 1e6) double clipHigh,
    @Key(
            doc =
                "Dual clip: bound c > 1 of the loss where the advantage is negative; null is"
                    + " off.",
            value = "3",
            min = 1,
            max = 1e9)
        @Nullable Double clipDual,
    @Key(
            doc = "How token losses become one number, over the whole mini-batch.",
            value = "token-mean")
        LossAggregation aggregation,
    @Key(
            doc = "Weight of the entropy bonus.",
            value = "0",
            min = 0,
            max = 1e6,
            elsewhere = {"entropy_coef", "entropy_coeff"})
        double entropyBonus) {}
