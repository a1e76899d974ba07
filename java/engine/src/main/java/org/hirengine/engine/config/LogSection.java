package org.hirengine.engine.config;

/**
 * Section {@code log} of a training run's configuration: what the run folder keeps of each step.
 */
public record LogSection(
    @Key(doc = "Writes rollouts/step-N.jsonl.", value = "true") boolean rollouts,
    @Key(doc = "Writes TensorBoard event files.", value = "true") boolean tensorboard) {}
