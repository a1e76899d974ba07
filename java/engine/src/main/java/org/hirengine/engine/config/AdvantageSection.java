package org.hirengine.engine.config;

import org.hirengine.engine.algo.AdvantageEstimator;

/** Section {@code advantage} of a training run's configuration: how advantages are estimated. */
public record AdvantageSection(
    @Key(doc = "Advantage estimator.", value = "reinforce++", shorthand = true)
        AdvantageEstimator estimator,
    @Key(doc = "Discount (reinforce++).", value = "1", min = 0, max = 1) double gamma) {}
