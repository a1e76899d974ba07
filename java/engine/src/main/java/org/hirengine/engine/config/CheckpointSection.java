package org.hirengine.engine.config;

/**
 * Section {@code checkpoint} of a training run's configuration: which checkpoints are written and
 * kept.
 */
public record CheckpointSection(
    @Key(
            doc = "Steps between checkpoints; 0 saves at the end only.",
            value = "20",
            min = 0,
            max = 1e9,
            elsewhere = {"save_steps", "save_every", "save_freq"})
        int every,
    @Key(
            doc = "Checkpoints kept, the newest ones.",
            value = "2",
            min = 1,
            max = 1e6,
            elsewhere = "save_total_limit")
        int keep) {}
