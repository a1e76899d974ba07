package org.hirengine.engine.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import org.hirengine.engine.config.ChatClock;
import org.hirengine.engine.config.DataSection.ControlTokens;
import org.hirengine.engine.config.LoraSection;
import org.hirengine.engine.config.LossSection;
import org.hirengine.engine.config.SamplingSection;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.config.TrainSection;
import org.hirengine.engine.distributed.ProcessGroup;
import org.hirengine.engine.model.CompanionFiles;
import org.hirengine.engine.model.ForwardPass.Activations;
import org.hirengine.engine.model.Lora;
import org.hirengine.engine.model.LoraConfig;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.ModelException;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.PolicyFiles;
import org.hirengine.engine.model.Scorer;
import org.hirengine.engine.rollout.RolloutEngine;
import org.hirengine.engine.rollout.StopIds;
import org.hirengine.engine.runtime.DeviceMemory;
import org.hirengine.engine.runtime.NativeExecutor;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.tokens.ChatTemplate;
import org.hirengine.engine.tokens.PromptEncoder;
import org.hirengine.engine.tokens.Tokenizer;
import org.hirengine.engine.update.GradientParts;
import org.hirengine.engine.update.Optimizer;
import org.hirengine.engine.update.PolicyLoss;
import org.hirengine.engine.update.PolicyUpdate;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.Kernels.PolicyLossConfig;
import org.jspecify.annotations.Nullable;

/**
 * The native side of a run and the one owner of it: policy, optimizer, reference policy, rollout
 * engine, tokenizer, and the thread that calls them.
 */
public final class TrainingEngine implements AutoCloseable {

  public final NativeExecutor executor;
  final CompanionFiles companions;
  final Tokenizer tokenizer;
  final PromptEncoder encoder;
  final Policy policy;
  public final Optimizer optimizer;
  public final PolicyUpdate update;
  final RolloutEngine rollouts;
  public final Scorer scorer;
  final @Nullable Scorer referenceScorer;

  /** The adapter of the reference policy; none where it is a bare model, or is not needed. */
  final @Nullable Lora start;

  private final Deque<Runnable> natives;
  private boolean closed;

  private TrainingEngine(
      NativeExecutor executor,
      CompanionFiles companions,
      Tokenizer tokenizer,
      TrainConfig config,
      Path weights,
      String now,
      ProcessGroup group) {
    this.executor = executor;
    this.companions = companions;
    this.tokenizer = tokenizer;
    encoder = encoder(config.model().path(), tokenizer, now, config.data().controlTokens());
    natives = new ArrayDeque<>();
    try {
      int gpu = config.device() == Device.Kind.CUDA ? group.localRank() : 0;
      Device device = new Device(config.device(), gpu, 0);
      Kernels kernels = NativeRuntime.kernels(config.device());
      Policy.Options trained = Policy.Options.trained(device, config.dtype(), config.optim());
      policy =
          held(
              config.adapts()
                  ? PolicyFiles.adapted(config.model().path(), trained, adapter(config, weights))
                  : PolicyFiles.load(weights, trained));
      check(policy.config(), config);
      int pieces = GradientParts.of(group, config.distributed().parts());
      optimizer =
          held(new Optimizer(policy, kernels, config.optim(), updates(config), group, pieces));
      GradientParts parts =
          new GradientParts(policy.gradients(), group, pieces, optimizer.shards());
      update = new PolicyUpdate(policy, kernels, loss(config), budget(config), optimizer, parts);
      scorer = new Scorer(policy, kernels);
      start = start(config, weights);
      referenceScorer =
          config.kl().needsReference() ? new Scorer(held(reference(config)), kernels) : null;
      // Last: its cache takes a share of the memory that the others leave.
      SamplingSection sampling = config.sampling();
      RolloutEngine.Limits limits =
          RolloutEngine.Limits.of(device, sampling.batch(), sampling.cacheGib());
      rollouts =
          held(
              new RolloutEngine(
                  policy, kernels, stopIds(config), tokenizer.vocabularySize(), limits));
    } catch (RuntimeException e) {
      natives.forEach(Runnable::run);
      throw e;
    }
  }

  /**
   * Loads a run's models.
   *
   * @param weights folder of the policy's weights: the configuration's model, or a checkpoint
   * @param now what the chat template sees, see {@link #now(TrainConfig, Checkpoints.Found)}
   */
  public static TrainingEngine open(TrainConfig config, Path weights, String now)
      throws IOException {
    return open(config, weights, now, ProcessGroup.ALONE);
  }

  /** Loads a run's models, as one of the ranks that train together. */
  static TrainingEngine open(TrainConfig config, Path weights, String now, ProcessGroup group)
      throws IOException {
    CompanionFiles companions = CompanionFiles.read(config.model().path());
    Tokenizer tokenizer = Tokenizer.load(config.model().path());
    try {
      NativeExecutor executor = executor(config.threads(group.localSize()));
      try {
        return executor.call(
            () -> new TrainingEngine(executor, companions, tokenizer, config, weights, now, group));
      } catch (RuntimeException e) {
        executor.close();
        throw e;
      }
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  /** A native thread with as many cores as asked for, or all. */
  static NativeExecutor executor(@Nullable Integer threads) {
    return threads == null ? new NativeExecutor() : new NativeExecutor(threads);
  }

  /**
   * Makes prompts of a model's training data.
   *
   * @param now what the chat template sees
   */
  static PromptEncoder encoder(
      Path model, Tokenizer tokenizer, String now, ControlTokens controlTokens) {
    ChatTemplate template = ChatTemplate.load(model).withClock(ChatClock.at(now));
    PromptEncoder reading = new PromptEncoder(tokenizer, template, Map.of());
    return controlTokens == ControlTokens.SPLIT ? reading.splittingControlTokens() : reading;
  }

  /**
   * The adapter that training goes on from.
   *
   * @param weights the model's, or a checkpoint
   */
  private static Lora.Source adapter(TrainConfig config, Path weights) {
    boolean checkpoint = !weights.equals(config.model().path());
    if (checkpoint && Files.exists(weights.resolve(LoraConfig.FILE))) {
      return Lora.at(weights);
    }
    return adapter(config.adapter(), config.lora(), config.train().seed());
  }

  /** The adapter that training begins with: one that is there, or a new one. */
  static Lora.Source adapter(@Nullable Path given, LoraSection lora, long seed) {
    if (given != null) {
      return Lora.at(given);
    }
    int rank = Objects.requireNonNull(lora.rank());
    double alpha = lora.alpha() == null ? 2.0 * rank : lora.alpha();
    return Lora.fresh(LoraConfig.of(rank, alpha, lora.targets()), seed);
  }

  /** The policy as the run began: the model, under the adapter that the run began with, if any. */
  private Policy reference(TrainConfig config) {
    if (config.adapts()) {
      return policy.reference(start);
    }
    Policy.Options frozen = new Policy.Options(policy.device(), config.dtype(), false);
    return PolicyFiles.load(config.model().path(), frozen);
  }

  /** The adapter that the run began with. A checkpoint holds it: its own folder may be gone. */
  private @Nullable Lora start(TrainConfig config, Path weights) {
    if (config.adapter() == null || !config.kl().needsReference()) {
      return null;
    }
    Path kept = weights.resolve(Checkpoints.START);
    Path from = Files.exists(kept) ? kept : config.adapter();
    return held(Lora.at(from).open(policy.config(), Device.CPU, false).of(config.model().path()));
  }

  /** The date and time of a run: what its configuration says, else when it began. */
  public static String now(TrainConfig config, Checkpoints.@Nullable Found found) {
    String asked = config.data().now();
    String begun = found == null ? null : found.state().now();
    return asked != null ? asked : begun != null ? begun : ChatClock.now();
  }

  private <T extends AutoCloseable> T held(T resource) {
    natives.push(
        () -> {
          try {
            resource.close();
          } catch (Exception e) {
            throw new IllegalStateException(e); // none of ours throws checked exceptions
          }
        });
    return resource;
  }

  /** How often memory was out and half as much at once did. */
  int shortages() {
    Scorer reference = referenceScorer;
    return update.shortages()
        + scorer.shortages()
        + rollouts.shortages()
        + (reference == null ? 0 : reference.shortages());
  }

  /** How often a row waited because the cache was full. */
  int preempted() {
    return rollouts.preempted();
  }

  /** Tokens of responses that those rows ran through the model again. */
  int recomputed() {
    return rollouts.recomputed();
  }

  /** Bytes in use where the policy lies. */
  OptionalLong memory() {
    return executor.call(() -> DeviceMemory.used(policy.device()));
  }

  /** Updates of the whole run, which schedules stretch over. */
  static long updates(TrainConfig config) {
    TrainSection train = config.train();
    long steps = train.steps();
    if (train.maxRollouts() != null) {
      long perStep = (long) train.prompts() * config.samplesPerPrompt();
      steps = Math.min(steps, train.maxRollouts() / perStep);
    }
    return steps * train.epochs() * train.updatesPerEpoch();
  }

  private static PolicyLoss loss(TrainConfig config) {
    LossSection loss = config.loss();
    Double dual = loss.clipDual();
    PolicyLossConfig terms =
        new PolicyLossConfig(
            config.sampling().temperature(),
            loss.clipLow(),
            loss.clipHigh(),
            dual == null ? Double.POSITIVE_INFINITY : dual,
            loss.entropyBonus(),
            config.kl().loss(),
            config.kl().lossWeight());
    return new PolicyLoss(terms, loss.aggregation(), config.limits().response());
  }

  private static PolicyUpdate.Budget budget(TrainConfig config) {
    TrainSection train = config.train();
    return new PolicyUpdate.Budget(
        train.tokensAtOnce(),
        train.sharePrompts(),
        Scorer.DEFAULT_LOGIT_BYTES,
        train.recompute() == TrainSection.Recompute.LAYERS
            ? Activations.RECOMPUTE
            : Activations.KEEP);
  }

  private Set<Integer> stopIds(TrainConfig config) {
    Set<Integer> ids = new HashSet<>();
    encoder.endOfTurnId().ifPresent(ids::add);
    tokenizer.eosId().ifPresent(ids::add);
    return StopIds.of(config.model().path(), policy.config(), ids);
  }

  private void check(ModelConfig model, TrainConfig config) {
    long needed = (long) config.limits().prompt() + config.limits().response();
    if (needed > model.maxPositions()) {
      throw new ModelException(
          "limits.prompt + limits.response is "
              + needed
              + ", more than the model's "
              + model.maxPositions()
              + " positions; lower one of them");
    }
    model.checkTokenizer(config.model().path(), tokenizer.vocabularySize());
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    executor.run(() -> natives.forEach(Runnable::run));
    executor.close();
    tokenizer.close();
  }
}
