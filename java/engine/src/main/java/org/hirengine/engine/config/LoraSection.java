package org.hirengine.engine.config;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Section {@code lora} of a configuration: the adapter that is trained in place of the weights. */
public record LoraSection(
    @Key(
            doc =
                "Rank of a new LoRA adapter. Only the adapter is trained and saved; the model"
                    + " (which may be an 8-bit or 4-bit .gguf file) is frozen. It wants a larger"
                    + " optim.lr than all weights: on the demo 2e-3 in place of 5e-4. null trains"
                    + " all weights, or the adapter that `adapter` names.",
            value = "null",
            min = 1,
            max = 65536,
            elsewhere = {"r", "lora_r", "lora_rank"})
        @Nullable Integer rank,
    @Key(
            doc = "The adapter adds alpha / rank * B A to a weight; null is twice the rank.",
            value = "null",
            min = 0.001,
            max = 1e6,
            elsewhere = "lora_alpha")
        @Nullable Double alpha,
    @Key(
            doc = "Projections with an adapter: some of q, k, v, o, gate, up, down.",
            value = "q,k,v,o,gate,up,down",
            names = true,
            elsewhere = {"target_modules", "lora_target_modules"})
        String targets,
    @Key(
            doc =
                "Dropout before the adapter; must be 0, since sampling, scoring and training must"
                    + " use the same policy.",
            value = "0",
            min = 0,
            max = 0,
            elsewhere = "lora_dropout")
        double dropout) {

  /**
   * @param adapter that is trained on, in place of a new one
   */
  void check(@Nullable Path adapter) {
    if (adapter != null && rank != null) {
      throw new IllegalArgumentException(
          "lora.rank (%d) is for a new adapter, but adapter (%s) has its own rank; set one of them"
              .formatted(rank, adapter));
    }
    if (rank != null) {
      LoraTargets.of(targets);
    }
  }
}
