package org.hirengine.engine.config;

import org.hirengine.engine.hub.Location;
import org.jspecify.annotations.Nullable;

/**
 * Section {@code eval} of a training run's configuration: when held-out prompts are evaluated, and
 * how.
 */
public record EvalSection(
    @Key(
            doc = "Steps between evaluations; 0 evaluates before and after only.",
            value = "10",
            min = 0,
            max = 1e9,
            elsewhere = {"eval_steps", "eval_every", "test_freq"})
        int every,
    @Key(
            doc = "Most held-out instructions to use, from the start of the data; null takes all.",
            value = "512",
            min = 1,
            max = 1e9)
        @Nullable Integer prompts,
    @Key(doc = "Responses sampled per held-out instruction.", value = "1", min = 1, max = 1e4)
        int samples,
    @Key(doc = "Temperature; 0 is greedy.", value = "1", min = 0, max = 100) double temperature,
    @Key(doc = "Seed of evaluation, separate from the run's.", value = "1", min = 0, max = 9e15)
        long seed,
    @Key(
            doc =
                "Requests with one right answer (field answer) under constraints that need none,"
                    + " asked greedily at every evaluation: trip wires for a policy that"
                    + " satisfies by saying nothing; null asks none.",
            value = "null")
        @Nullable Location probes) {}
