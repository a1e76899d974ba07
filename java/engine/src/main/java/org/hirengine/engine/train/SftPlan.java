package org.hirengine.engine.train;

import java.util.List;
import java.util.function.ToIntFunction;
import org.hirengine.engine.config.SftConfig;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.config.TrainSection.Recompute;
import org.hirengine.engine.experience.TrainingRow;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.plan.Planner;
import org.hirengine.engine.runtime.DeviceMemory;

/** What of a supervised run fits the memory. */
final class SftPlan {

  private SftPlan() {}

  /**
   * Tokens of a micro-batch: what the configuration says, else as many as fit. Runs on the native
   * thread.
   *
   * @param available bytes that the process may take
   */
  static int microTokens(SftConfig config, ModelConfig model, Pairs pairs, long available) {
    if (config.microTokens() != null) {
      return config.microTokens();
    }
    Planner planner = Planner.of(model, config.device(), 1);
    TrainConfig run = training(config, pairs);
    // Nothing is sampled, so the smallest cache is room enough.
    TrainConfig small = run.withCache((double) planner.leastCache(run) / DeviceMemory.GIB);
    return planner.decide(small, available).config().train().tokensAtOnce();
  }

  /** A training run with the same updates, of rows as long as the longest pair. */
  private static TrainConfig training(SftConfig config, Pairs pairs) {
    TrainConfig run =
        TrainConfig.of(
            List.of("model=.", "data.train=.", "out=.", "algorithm=grpo", "train.group=1"));
    return run.with("device", config.device())
        .with("dtype", config.dtype())
        .with("adapter", config.adapter())
        .with("lora.rank", config.lora().rank())
        .with("lora.targets", config.lora().targets())
        .with("optim.masters", config.optim().masters())
        .with("optim.moments", config.optim().moments())
        .with("optim.offload", config.optim().offload())
        .with("kl.beta", 0.0)
        .with("train.prompts", config.batch())
        .with("train.recompute", config.recompute() ? Recompute.LAYERS : Recompute.NONE)
        .with("limits.prompt", longest(pairs, row -> row.prompt().length))
        .with("limits.response", longest(pairs, row -> row.response().length));
  }

  private static int longest(Pairs pairs, ToIntFunction<TrainingRow> length) {
    return Math.max(1, pairs.rows().stream().mapToInt(length).max().orElse(1));
  }
}
