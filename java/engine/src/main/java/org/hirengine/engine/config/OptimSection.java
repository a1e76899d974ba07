package org.hirengine.engine.config;

import org.hirengine.kernels.MomentType;
import org.jspecify.annotations.Nullable;

/** Section {@code optim} of a training run's configuration: the optimizer, AdamW. */
public record OptimSection(
    @Key(
            doc = "Learning rate of AdamW.",
            value = "1e-6",
            min = 0,
            max = 10,
            elsewhere = "learning_rate")
        double lr,
    @Key(
            doc = "Learning rate after the warm-up.",
            value = "constant",
            elsewhere = {"lr_scheduler", "lr_scheduler_type", "scheduler"})
        Schedule schedule,
    @Key(
            doc = "Updates over which the learning rate rises from 0.",
            value = "0",
            min = 0,
            max = 1e9,
            elsewhere = "warmup_steps")
        int warmup,
    @Key(
            doc = "Final value of linear and cosine schedules, as a fraction of lr.",
            value = "0",
            min = 0,
            max = 1)
        double finalFraction,
    @Key(
            doc = "Decay of the first moment.",
            value = "0.9",
            min = 0,
            max = 0.999999,
            elsewhere = "adam_beta1")
        double beta1,
    @Key(
            doc = "Decay of the second moment.",
            value = "0.999",
            min = 0,
            max = 0.9999999,
            elsewhere = "adam_beta2")
        double beta2,
    @Key(
            doc = "Added to the root of the second moment.",
            value = "1e-8",
            min = 0,
            max = 1,
            elsewhere = {"eps", "adam_epsilon"})
        double epsilon,
    @Key(doc = "Decoupled weight decay.", value = "0.01", min = 0, max = 10) double weightDecay,
    @Key(
            doc = "Largest gradient norm; larger gradients are scaled down. null is off.",
            value = "1",
            min = 1e-12,
            max = 1e12,
            elsewhere = {"max_grad_norm", "grad_clip", "gradient_clipping"})
        @Nullable Double clip,
    @Key(doc = "Skips the update of a step whose rewards are all equal.", value = "false")
        boolean skipNoSignal,
    @Key(
            doc =
                "Masters beside bfloat16 weights: float32, or split into the weight and the 16"
                    + " bits that it lacks, the same numbers in 2 bytes a parameter less (a"
                    + " weight halfway between two is rounded to the smaller one). An adapter's"
                    + " are float32.",
            value = "float32")
        Masters masters,
    @Key(
            doc =
                "How the two moments are kept: 8, 4 or about 2 bytes a parameter. The narrow ones"
                    + " are rounded at random, so that small changes count on average; in int8"
                    + " the embedding, vectors and small matrices are bfloat16. A resumed run"
                    + " must keep it.",
            value = "float32")
        MomentType moments,
    @Key(
            doc =
                "Where masters and moments are: none keeps them on the device; cpu keeps them in"
                    + " the host's memory and makes the optimizer's step there, while gradients"
                    + " come down and weights go up: a GPU needs only weights, gradients and"
                    + " activations. With device cpu it saves nothing. A resumed run may change"
                    + " it.",
            value = "none",
            elsewhere = {"offload_optimizer", "optimizer_offload", "cpu_offload"})
        Offload offload) {

  /** Learning rate over steps, after the warm-up. */
  public enum Schedule {
    CONSTANT,
    LINEAR,
    COSINE
  }

  /** How masters of bfloat16 weights are kept. */
  public enum Masters {
    /** Beside the weights. */
    FLOAT32,
    /** As the weights and the 16 bits that they lack. */
    SPLIT
  }

  /** Where masters and moments are. */
  public enum Offload {
    /** On the device. */
    NONE,
    /** In the host's memory. */
    CPU
  }

  /** Whether masters and moments are in the host's memory. */
  public boolean offloads() {
    return offload == Offload.CPU;
  }

  /** Whether masters are weights and what rounding took from them. */
  public boolean splitsMasters() {
    return masters == Masters.SPLIT;
  }
}
