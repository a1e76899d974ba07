package org.hirengine.engine.config;

import org.jspecify.annotations.Nullable;

/**
 * Section {@code train} of a training run's configuration: how much is trained, and in which
 * portions.
 */
public record TrainSection(
    @Key(
            doc = "Training steps at most.",
            value = "100",
            min = 0,
            max = 1e9,
            elsewhere = {"max_steps", "total_steps", "num_steps"})
        int steps,
    @Key(
            doc = "Sampled responses at most; the step that would exceed it is not started.",
            value = "null",
            min = 1,
            max = 1e15)
        @Nullable Long maxRollouts,
    @Key(
            doc =
                "Seed of every random choice of the run. It selects rows by position, so the same"
                    + " rows in another order give another run.",
            value = "0",
            min = 0,
            max = 9e15)
        long seed,
    @Key(
            doc = "Prompts per step (B).",
            value = "64",
            min = 1,
            max = 1e6,
            elsewhere = {"batch_size", "train_batch_size", "per_device_train_batch_size"})
        int prompts,
    @Key(
            doc = "Trajectories per prompt (n): sampled ones and replays together.",
            value = "8",
            min = 1,
            max = 1e6,
            elsewhere = {"num_generations", "group_size", "rollouts_per_prompt"})
        int group,
    @Key(
            doc = "Prompts per mini-batch, one optimizer update each; null takes all at once.",
            value = "null",
            min = 1,
            max = 1e6,
            elsewhere = {"mini_batch_size", "ppo_mini_batch_size"})
        @Nullable Integer miniBatch,
    @Key(
            doc =
                "Tokens per micro-batch, prompts included; auto is the largest power of two that"
                    + " fits the memory, at most 16384. Results depend on it by rounding alone,"
                    + " the order in which gradients are summed: the run's config.yaml records"
                    + " the number, and a resumed run keeps it.",
            value = "auto",
            none = "auto",
            min = 1,
            max = 1e9,
            elsewhere = {"micro_batch_size", "ppo_micro_batch_size"})
        @Nullable Integer microTokens,
    @Key(
            doc =
                "Computes a prompt once for all its rows in a micro-batch; results do not depend"
                    + " on it.",
            value = "true")
        boolean sharePrompts,
    @Key(
            doc = "Passes over each step's rows.",
            value = "1",
            min = 1,
            max = 1000,
            elsewhere = {"num_epochs", "num_iterations", "ppo_epochs"})
        int epochs,
    @Key(
            doc =
                "What the backward pass computes again instead of keeping it: nothing, or all"
                    + " of a layer but its input, for less memory and a third more time; auto"
                    + " does so where nothing else fits. Results do not depend on it. false and"
                    + " true are read as none and layers.",
            value = "auto",
            aliases = {"false=none", "true=layers"},
            elsewhere = {"gradient_checkpointing", "activation_checkpointing"})
        Recompute recompute) {

  /** What a backward pass computes again. */
  public enum Recompute {
    NONE,
    /** Each layer, from its input. */
    LAYERS,
    /** Layers where they would not fit otherwise. */
    AUTO
  }

  /** Tokens of a micro-batch beyond which nothing gets faster. */
  public static final int USEFUL_TOKENS = 16384;

  /** Tokens of a micro-batch; the most that is useful where it was left open. */
  public int tokensAtOnce() {
    return microTokens == null ? USEFUL_TOKENS : microTokens;
  }

  /** Optimizer updates of one pass over a step's rows. */
  public int updatesPerEpoch() {
    return miniBatch == null ? 1 : (prompts + miniBatch - 1) / miniBatch;
  }
}
