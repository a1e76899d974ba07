package org.hirengine.engine.diagnose;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.hirengine.engine.algo.LossAggregation;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.experience.TrainingRow;
import org.hirengine.engine.model.ForwardPass.Activations;
import org.hirengine.engine.model.InitialWeights;
import org.hirengine.engine.model.Lora;
import org.hirengine.engine.model.LoraConfig;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.PolicyFiles;
import org.hirengine.engine.model.ResponseBatch.Sequence;
import org.hirengine.engine.model.Scorer;
import org.hirengine.engine.rollout.Completion;
import org.hirengine.engine.rollout.Prompt;
import org.hirengine.engine.rollout.RandomStream;
import org.hirengine.engine.rollout.RolloutCall;
import org.hirengine.engine.rollout.RolloutEngine;
import org.hirengine.engine.rollout.RolloutParams;
import org.hirengine.engine.runtime.NativeExecutor;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.update.Optimizer;
import org.hirengine.engine.update.PolicyLoss;
import org.hirengine.engine.update.PolicyUpdate;
import org.hirengine.engine.update.UpdateReport;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.Kernels.KlLoss;
import org.hirengine.kernels.Kernels.PolicyLossConfig;
import org.hirengine.kernels.MomentType;
import org.jspecify.annotations.Nullable;

/**
 * The parts of a training step on random weights and tokens, for timing: with the same classes that
 * the trainer runs, without instructions and verification.
 */
public final class StepBenchmark implements AutoCloseable {

  /** The lowest token ids represent special tokens and are not drawn. */
  private static final int FIRST_TOKEN = 3;

  private static final long SEED = 17;

  /** What is timed. */
  public enum Part {
    /** Sampling. */
    ROLLOUT,
    /** Log-probs and entropies of given responses. */
    LOGPROB,
    /** Forward, loss, backward and optimizer step. */
    UPDATE,
    /** Rollout, log-probs of the policy and of a reference, update. */
    STEP;

    /** Whether the part's tokens include prompts, or only responses. */
    public boolean countsPrompts() {
      return this == LOGPROB || this == UPDATE;
    }

    private boolean trains() {
      return this == UPDATE || this == STEP;
    }
  }

  /**
   * The size of the work.
   *
   * @param batch responses
   * @param group responses that share a prompt; divides {@code batch}
   * @param micro responses per micro-batch
   * @param promptTokens tokens of a prompt, at most
   * @param newTokens tokens of a response, at most
   * @param mixed lengths differ: prompts have 1, 2, 3 and 4 quarters of them, responses 1 to 8
   *     eighths
   */
  public record Size(
      int batch, int group, int micro, int promptTokens, int newTokens, boolean mixed) {

    public Size {
      if (Math.min(Math.min(batch, group), Math.min(micro, Math.min(promptTokens, newTokens))) < 1
          || batch % group != 0) {
        throw new IllegalArgumentException(
            "sizes must be at least 1, and the batch (%d) a multiple of the group (%d)"
                .formatted(batch, group));
      }
    }

    /** Tokens of prompt {@code i}. */
    int promptLength(int i) {
      return mixed ? Math.max(1, promptTokens * (1 + 3 * i % 4) / 4) : promptTokens;
    }

    /** Tokens of response {@code i}. */
    int responseLength(int i) {
      return mixed ? Math.max(1, newTokens * (1 + 37 * i % 8) / 8) : newTokens;
    }

    /** Of all prompts, each counted once. */
    long promptsTokens() {
      return IntStream.range(0, batch / group).mapToLong(this::promptLength).sum();
    }

    /** Of all responses. */
    public long responseTokens() {
      return IntStream.range(0, batch).mapToLong(this::responseLength).sum();
    }

    /** Of all sequences, with prompts counted for each of their responses. */
    public long sequenceTokens() {
      return responseTokens() + group * promptsTokens();
    }
  }

  private final Part part;
  private final Size size;
  private final NativeExecutor executor;
  private final Kernels kernels;
  private final Policy policy;
  private final RolloutEngine rollout;
  private final Scorer scorer;
  private final @Nullable Optimizer optimizer;
  private final @Nullable PolicyUpdate update;
  private final List<Prompt> prompts = new ArrayList<>();
  private final SplittableRandom random = new SplittableRandom(SEED);
  private int step;

  /**
   * The model to run.
   *
   * @param config its shape
   * @param weights a folder or a .gguf file; none for random weights
   * @param lora the adapter that is trained; none trains all weights
   * @param recompute activations are recomputed in the backward
   * @param splitMasters as {@code optim.masters: split}
   * @param moments as {@code optim.moments}
   */
  public record Model(
      ModelConfig config,
      @Nullable Path weights,
      @Nullable LoraConfig lora,
      boolean recompute,
      boolean splitMasters,
      MomentType moments) {

    private Policy policy(Policy.Options options) {
      if (lora == null) {
        return weights == null
            ? InitialWeights.random(config, options, SEED)
            : PolicyFiles.load(weights, config, options);
      }
      Lora.Source adapter = Lora.fresh(lora, SEED);
      return weights == null
          ? InitialWeights.random(config, options, SEED, adapter)
          : PolicyFiles.adapted(weights, options, adapter);
    }
  }

  /** Builds the model; gradients and an optimizer only for a part that trains. */
  public StepBenchmark(Part part, Model model, Size size, Device device, DType dtype, int threads) {
    this.part = part;
    this.size = size;
    executor = new NativeExecutor(threads);
    kernels = executor.call(() -> NativeRuntime.kernels(device.kind()));
    boolean split = model.splitMasters && part.trains();
    policy =
        executor.call(() -> model.policy(new Policy.Options(device, dtype, part.trains(), split)));
    rollout = executor.call(() -> new RolloutEngine(policy, kernels, Set.of()));
    scorer = new Scorer(policy, kernels);
    optimizer = part.trains() ? executor.call(() -> newOptimizer(model)) : null;
    Activations activations = model.recompute() ? Activations.RECOMPUTE : Activations.KEEP;
    update = optimizer == null ? null : newUpdate(optimizer, activations);
    for (int i = 0; i < size.batch() / size.group(); i++) {
      prompts.add(new Prompt(i, tokens(size.promptLength(i))));
    }
  }

  private Optimizer newOptimizer(Model model) {
    List<String> settings =
        List.of("model=.", "out=.", "data.train=.", "optim.moments=" + lower(model.moments));
    return new Optimizer(policy, kernels, TrainConfig.of(settings).optim(), Long.MAX_VALUE);
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  private PolicyUpdate newUpdate(Optimizer stepping, Activations activations) {
    PolicyLossConfig terms = new PolicyLossConfig(1, 0.2, 0.2, 3, 0, KlLoss.NONE, 0);
    return new PolicyUpdate(
        policy,
        kernels,
        new PolicyLoss(terms, LossAggregation.TOKEN_MEAN, 1),
        new PolicyUpdate.Budget(
            size.micro() * (size.promptTokens() + size.newTokens()),
            true,
            Scorer.DEFAULT_LOGIT_BYTES,
            activations),
        stepping);
  }

  private int[] tokens(int count) {
    int vocabulary = policy.config().vocabSize();
    return random.ints(count, FIRST_TOKEN, vocabulary).toArray();
  }

  /**
   * Arithmetic of the matrix products of one repeat, with prompts counted once per group: the
   * layers' and the head's, without attention.
   */
  public double productFlops() {
    ModelConfig config = policy.config();
    double query = (double) config.heads() * config.headDim();
    double keys = (double) config.kvHeads() * config.headDim();
    double layer = config.hiddenSize() * (2 * query + 2 * keys + 3.0 * config.intermediateSize());
    double packed = size.promptsTokens() + size.responseTokens();
    double forward =
        2 * config.layers() * layer * packed
            + 2.0 * config.hiddenSize() * config.vocabSize() * size.responseTokens();
    // Frozen weights have no gradient; the adapters' is negligible.
    double update = policy.lora() == null ? 3 * forward : 2 * forward;
    return switch (part) {
      case ROLLOUT, LOGPROB -> forward;
      case UPDATE -> update;
      case STEP -> (decodes() ? 2 : 3) * forward + update;
    };
  }

  /** Ceiling of the machine's matrix products in the policy's type, in GFLOP/s; 0 if unknown. */
  public double productCeiling() {
    return executor.call(() -> kernels.productCeiling(policy.computeType()));
  }

  /** The kernels that run it. */
  public String kernels() {
    return kernels.name();
  }

  /**
   * Runs the part once unmeasured, then {@code repeats} times.
   *
   * @return wall time of each repeat, in seconds
   */
  public double[] time(int repeats) {
    List<Sequence> given = new ArrayList<>();
    for (int i = 0; i < size.batch(); i++) {
      given.add(
          Sequence.of(prompts.get(i / size.group()).tokens(), tokens(size.responseLength(i))));
    }
    float[][] old = part == Part.UPDATE ? logprobs(given) : new float[0][];
    Runnable work =
        switch (part) {
          case ROLLOUT -> this::rollout;
          case LOGPROB -> () -> logprobs(given);
          case UPDATE -> () -> update(given, old);
          case STEP -> this::wholeStep;
        };
    work.run();
    double[] seconds = new double[repeats];
    for (int i = 0; i < repeats; i++) {
      long start = System.nanoTime();
      work.run();
      seconds[i] = (System.nanoTime() - start) / 1e9;
    }
    return seconds;
  }

  private List<Completion> rollout() {
    RolloutParams params = RolloutParams.sampling(size.newTokens(), 1).withEntropies(decodes());
    RandomStream stream = new RandomStream(SEED, RandomStream.TRAINING, step++);
    RolloutCall call =
        new RolloutCall(prompts, size.group(), 0, params, stream).limitedTo(size::responseLength);
    return executor.call(() -> rollout.generate(call));
  }

  private float[][] logprobs(List<Sequence> sequences) {
    int budget = size.micro() * (size.promptTokens() + size.newTokens());
    return executor.call(() -> scorer.score(sequences, 1, budget, true)).stream()
        .map(Scorer.Scores::logprobs)
        .toArray(float[][]::new);
  }

  private void update(List<Sequence> sequences, float[][] old) {
    List<TrainingRow> rows = new ArrayList<>();
    for (int i = 0; i < sequences.size(); i++) {
      Sequence sequence = sequences.get(i);
      float[] advantages = new float[sequence.response().length];
      Arrays.fill(advantages, (float) random.nextGaussian());
      rows.add(
          new TrainingRow(sequence.prompt(), sequence.response(), old[i], null, advantages, false));
    }
    UpdateReport report =
        executor.call(
            () -> {
              UpdateReport made = Objects.requireNonNull(update).update(rows);
              policy.release();
              return made;
            });
    if (report.failed()) {
      throw new IllegalStateException("the update was skipped: " + report.problem());
    }
  }

  /** Whether a whole step takes old log-probs from decoding, as training does by default. */
  private boolean decodes() {
    return part == Part.STEP && rollout.exact();
  }

  private void wholeStep() {
    List<Completion> completions = rollout();
    List<Sequence> sampled = new ArrayList<>();
    for (Completion completion : completions) {
      sampled.add(Sequence.of(prompts.get(completion.promptId()).tokens(), completion.tokens()));
    }
    float[][] old =
        decodes()
            ? completions.stream().map(Completion::logprobs).toArray(float[][]::new)
            : logprobs(sampled);
    logprobs(sampled); // the reference policy's pass
    update(sampled, old);
  }

  @Override
  public void close() {
    executor.run(
        () -> {
          rollout.close();
          if (optimizer != null) {
            optimizer.close();
          }
          policy.close();
        });
    executor.close();
  }
}
