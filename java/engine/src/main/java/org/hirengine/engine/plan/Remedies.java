package org.hirengine.engine.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.hirengine.engine.config.OptimSection;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.config.TrainSection.Recompute;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.MomentType;

/** Keys that reduce a run's memory, the cheapest first, and what each would save. */
public final class Remedies {

  /**
   * A change that helps.
   *
   * @param settings {@code key=value} each, as a command takes them
   * @param peak bytes with them
   */
  public record Change(List<String> settings, long peak) {}

  private final Planner planner;
  private final long available;

  /**
   * @param available bytes that the whole process may take
   */
  public Remedies(Planner planner, long available) {
    this.planner = planner;
    this.available = available;
  }

  /**
   * Changes that would each make {@code plan} smaller by a hundredth or more; last, where several
   * are needed for it to fit, those together.
   */
  public List<Change> of(MemoryPlan plan) {
    List<Change> changes = new ArrayList<>();
    Map<String, Long> best = new HashMap<>();
    steps(plan.config())
        .forEach(
            (settings, step) -> {
              long peak = planner.plan(step.apply(plan.config())).peak();
              // Of several values of a key, those that bring something more.
              String key = settings.split("=")[0];
              if (peak < 0.99 * best.getOrDefault(key, plan.peak())) {
                best.put(key, peak);
                changes.add(new Change(List.of(settings.split(" ")), peak));
              }
            });
    Change together = together(plan);
    if (together.settings.size() > 1 && together.peak <= available) {
      changes.add(together);
    }
    return changes;
  }

  /** One change after the other, always the first that helps, until all fits. */
  private Change together(MemoryPlan plan) {
    TrainConfig config = plan.config();
    Map<String, String> settings = new LinkedHashMap<>();
    long peak = plan.peak();
    boolean helped = true;
    while (peak > available && helped) {
      helped = false;
      for (Map.Entry<String, UnaryOperator<TrainConfig>> step : steps(config).entrySet()) {
        TrainConfig changed = step.getValue().apply(config);
        long with = planner.plan(changed).peak();
        if (with < peak) {
          config = changed;
          peak = with;
          for (String setting : step.getKey().split(" ")) {
            settings.put(setting.split("=")[0], setting);
          }
          helped = true;
          break;
        }
      }
    }
    return new Change(List.copyOf(settings.values()), peak);
  }

  /** By the settings to write. */
  private Map<String, UnaryOperator<TrainConfig>> steps(TrainConfig config) {
    Map<String, UnaryOperator<TrainConfig>> steps = new LinkedHashMap<>();
    for (int t = Integer.highestOneBit(config.train().tokensAtOnce() - 1); t >= 512; t /= 2) {
      int tokens = t;
      steps.put("train.micro_tokens=" + t, c -> c.withPasses(tokens, c.train().recompute()));
    }
    if (config.train().recompute() != Recompute.LAYERS) {
      steps.put(
          "train.recompute=layers", c -> c.withPasses(c.train().tokensAtOnce(), Recompute.LAYERS));
    }
    Double cache = config.sampling().cacheGib();
    double less = Math.max(0.5, planner.leastCache(config) / MemoryPlan.GIB);
    if (cache != null && cache > less) {
      steps.put("sampling.cache_gib=" + less, c -> c.withCache(less));
    }
    if (config.dtype() == DType.FLOAT32) {
      steps.put("dtype=bfloat16", c -> c.with("dtype", DType.BFLOAT16));
    }
    if (!config.optim().offloads()) {
      steps.put("optim.offload=cpu", c -> c.with("optim.offload", OptimSection.Offload.CPU));
    }
    if (!config.optim().splitsMasters() && !config.adapts()) {
      String both =
          config.dtype() == DType.BFLOAT16
              ? "optim.masters=split"
              : "dtype=bfloat16 optim.masters=split";
      steps.put(
          both,
          c -> c.with("dtype", DType.BFLOAT16).with("optim.masters", OptimSection.Masters.SPLIT));
    }
    for (MomentType type : MomentType.values()) {
      if (type.ordinal() > config.optim().moments().ordinal()) {
        String name = type.name().toLowerCase(java.util.Locale.ROOT);
        steps.put("optim.moments=" + name, c -> c.with("optim.moments", type));
      }
    }
    if (config.kl().needsReference()) {
      steps.put("kl.beta=0 kl.loss=none", Remedies::withoutReference);
    }
    if (!config.adapts()) {
      steps.put("lora.rank=16", c -> c.with("lora.rank", 16));
    }
    return steps;
  }

  private static TrainConfig withoutReference(TrainConfig config) {
    return config.with("kl.beta", 0.0).with("kl.loss", org.hirengine.kernels.Kernels.KlLoss.NONE);
  }

  /** As people read it: {@code train.micro_tokens=2048 (5.87 GiB)}. */
  public static String text(Change change) {
    return String.join(" ", change.settings) + " (" + MemoryPlan.gib(change.peak) + " GiB)";
  }
}
