package org.hirengine.engine.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.hirengine.engine.hub.Location;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.jspecify.annotations.Nullable;

/**
 * The resolved configuration of a training run: defaults (the reference's), then the algorithm's
 * preset, then the file, then {@code key=value} overrides.
 */
public record TrainConfig(
    @Key(
            doc =
                "Policy to start from: a folder in Hugging Face layout, a .gguf file, or the name"
                    + " of a model on the Hugging Face Hub.",
            value = Key.REQUIRED,
            kind = Location.Kind.MODEL,
            elsewhere = {"model_name_or_path", "model_path", "base_model"})
        Location model,
    @Key(
            doc =
                "LoRA adapter to start from, a folder in PEFT's layout. Only the adapter is"
                    + " trained; the reference policy keeps its initial state.",
            value = "null",
            elsewhere = {"adapter_path", "lora_path", "peft_model"})
        @Nullable Path adapter,
    @Key(doc = "Device of all tensors.", value = "cpu") Device.Kind device,
    @Key(
            doc = "Number format of the forward and backward pass; masters are always float32.",
            value = "float32",
            elsewhere = {"torch_dtype", "precision"})
        DType dtype,
    @Key(doc = "Native threads; null is one per core.", value = "null", min = 1, max = 1024)
        @Nullable Integer threads,
    @Key(
            doc = "Preset of reward, replay and advantage; each of their keys can still be set.",
            value = "hir")
        Algorithm algorithm,
    @Key(
            doc = "Run folder to write.",
            value = Key.REQUIRED,
            elsewhere = {"output_dir", "save_dir"})
        Path out,
    DataSection data,
    TrainSection train,
    LoraSection lora,
    LimitsSection limits,
    SamplingSection sampling,
    RewardSection reward,
    ReplaySection replay,
    AdvantageSection advantage,
    KlSection kl,
    LossSection loss,
    OptimSection optim,
    VerifySection verify,
    EvalSection eval,
    CheckpointSection checkpoint,
    LogSection log,
    GuardsSection guards,
    DistributedSection distributed) {

  /** Keys that each rank of a run may have its own value of. */
  private static final Set<String> OWN =
      Set.of(
          "threads",
          "train.micro_tokens",
          "train.recompute",
          "sampling.cache_gib",
          "verify.threads",
          "verify.judge.parallel",
          "verify.judge.timeout_s",
          "verify.judge.retries");

  /** Presets; {@link #preset} says what each sets. */
  public enum Algorithm {
    HIR,
    HIR_ACHIEVE,
    RL_ILA,
    RL_CLA,
    GRPO
  }

  /** Relations between keys; each message begins with the key to change. */
  public TrainConfig {
    if (replay.rewrite() == ReplaySection.Rewrite.DROP && replay.sampled() > train.group()) {
      throw new IllegalArgumentException(
          "replay.sampled (%d) must not exceed train.group (%d)"
              .formatted(replay.sampled(), train.group()));
    }
    if (train.miniBatch() != null && train.miniBatch() > train.prompts()) {
      throw new IllegalArgumentException(
          "train.mini_batch (%d) must not exceed train.prompts (%d)"
              .formatted(train.miniBatch(), train.prompts()));
    }
    lora.check(adapter);
    checkMasters(optim, dtype);
    refuseFilters(sampling);
    ChatClock.check("data.now", data.now());
    if (loss.clipDual() != null && !(loss.clipDual() > 1)) {
      throw new IllegalArgumentException(
          "loss.clip_dual (%s) must be greater than 1".formatted(loss.clipDual()));
    }
  }

  static void checkMasters(OptimSection optim, DType dtype) {
    if (optim.splitsMasters() && dtype != DType.BFLOAT16) {
      throw new IllegalArgumentException(
          "optim.masters (split) needs dtype: bfloat16; float32 weights are their own masters");
    }
  }

  /**
   * The loss weighs a token by the ratio of its probabilities among all tokens, now and when it was
   * sampled. A filter draws from fewer tokens, with other probabilities: the gradient would be that
   * of no policy, and push against tokens that could not be drawn.
   */
  private static void refuseFilters(SamplingSection sampling) {
    String on =
        sampling.topK() != 0
            ? "sampling.top_k (%d)".formatted(sampling.topK())
            : sampling.topP() != 1
                ? "sampling.top_p (%s)".formatted(sampling.topP())
                : sampling.minP() != 0 ? "sampling.min_p (%s)".formatted(sampling.minP()) : null;
    if (on != null) {
      throw new IllegalArgumentException(
          on
              + " must be off in training: responses would be drawn from other probabilities than"
              + " the loss uses, among fewer tokens; lower sampling.temperature instead, which the"
              + " loss accounts for, and filter when generating");
    }
  }

  /** The preset's name as it is written in YAML, such as {@code hir-achieve}. */
  public String algorithmName() {
    return Binder.enumName(algorithm);
  }

  /** Whether only an adapter is trained. */
  public boolean adapts() {
    return adapter != null || lora.rank() != null;
  }

  /**
   * Native threads of each of several processes that share this machine: the configured number,
   * else an equal share of its cores.
   */
  public int threads(int processes) {
    return threads != null
        ? threads
        : Math.max(1, Runtime.getRuntime().availableProcessors() / processes);
  }

  /** Responses sampled per prompt at the beginning of a step. */
  public int samplesPerPrompt() {
    return replay.rewrite() == ReplaySection.Rewrite.NONE ? train.group() : replay.sampled();
  }

  /** The keys that a preset sets; all others keep their defaults, which are the reference's. */
  public static Map<String, String> preset(Algorithm algorithm) {
    return switch (algorithm) {
      case HIR -> Map.of();
      case HIR_ACHIEVE ->
          Map.of(
              "replay.rewrite",
              "achieve",
              "replay.goal",
              "hardest",
              "replay.old_logprobs",
              "rewritten",
              "reward.kind",
              "cla");
      case RL_ILA -> Map.of("replay.rewrite", "none");
      case RL_CLA -> Map.of("replay.rewrite", "none", "reward.kind", "cla");
      case GRPO -> Map.of("replay.rewrite", "none", "advantage.estimator", "grpo");
    };
  }

  /**
   * Reads a YAML file.
   *
   * @param overrides {@code key=value} each; their paths are relative to the working directory
   * @throws ConfigException naming file, line, key and what is allowed
   */
  public static TrainConfig load(Path file, List<String> overrides) {
    return ConfigReader.read(TrainConfig.class, file, overrides, TrainConfig::presetOf);
  }

  /** A configuration of {@code key=value} settings alone, for embedding. */
  public static TrainConfig of(List<String> settings) {
    return ConfigReader.read(TrainConfig.class, null, settings, TrainConfig::presetOf);
  }

  private static Map<String, String> presetOf(String algorithm) {
    for (Algorithm known : Algorithm.values()) {
      if (Binder.enumName(known).equals(algorithm)) {
        return preset(known);
      }
    }
    return Map.of(); // binding reports the unknown name
  }

  /**
   * A copy with each location replaced by what {@code find} returns for it, such as {@link
   * org.hirengine.engine.hub.Hub#find}.
   */
  public TrainConfig locate(UnaryOperator<Location> find) {
    return Binder.locate(this, find);
  }

  /** A copy with the value of one key replaced; the value is of the key's type. */
  public TrainConfig with(String key, Object value) {
    return Binder.with(this, key, value);
  }

  /** A copy with what passes keep decided. */
  public TrainConfig withPasses(int microTokens, TrainSection.Recompute recompute) {
    return with("train.micro_tokens", microTokens).with("train.recompute", recompute);
  }

  /** A copy with room for keys and values decided, in GiB. */
  public TrainConfig withCache(double gib) {
    return with("sampling.cache_gib", gib);
  }

  /**
   * What all ranks of a run must be given alike, as YAML has it, by dotted key: neither files and
   * folders, which may lie elsewhere on other machines, nor what no result depends on.
   */
  public Map<String, String> shared() {
    Map<String, String> values = Binder.values(this);
    values.keySet().removeAll(OWN);
    return values;
  }

  /** All keys with their values, and what each means as a comment above it; paths are absolute. */
  public String toYaml() {
    return Binder.yaml(this);
  }
}
