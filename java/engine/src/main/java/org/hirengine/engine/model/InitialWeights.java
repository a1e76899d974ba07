package org.hirengine.engine.model;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.Kernels;
import org.jspecify.annotations.Nullable;

/** Weights of untrained models. */
public final class InitialWeights {

  private InitialWeights() {}

  /**
   * A new model: matrices drawn from N(0, initializer_range), norms one, biases zero. The same seed
   * gives the same weights everywhere.
   */
  public static Policy random(ModelConfig config, Policy.Options options, long seed) {
    return random(config, options, seed, Policy.kernels(options), null);
  }

  /** The same with an adapter; only the adapter is trained. */
  public static Policy random(
      ModelConfig config, Policy.Options options, long seed, Lora.Source adapter) {
    return random(config, options, seed, Policy.kernels(options), adapter);
  }

  /** With given kernels instead of this machine's best. */
  static Policy random(
      ModelConfig config,
      Policy.Options options,
      long seed,
      Kernels kernels,
      Lora.@Nullable Source adapter) {
    Policy policy = new Policy(config, options, kernels, adapter, null);
    SplittableRandom random = new SplittableRandom(seed);
    try (GradMode off = GradMode.disabled()) {
      policy.fill(
          (name, parameter) -> {
            float[] values = new float[Math.toIntExact(parameter.numel())];
            if (parameter.dim() == 2) {
              for (int i = 0; i < values.length; i++) {
                values[i] = (float) (random.nextGaussian() * config.initializerRange());
              }
            } else if (!name.endsWith(".bias")) {
              Arrays.fill(values, 1f);
            }
            try (Tensor flat = Tensors.of(values);
                Tensor shaped = flat.view(Tensors.shape(parameter))) {
              parameter.copy_(shaped);
            }
          });
    }
    return policy;
  }
}
