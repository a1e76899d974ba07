package org.hirengine.engine.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.hirengine.engine.config.ChatClock;
import org.hirengine.engine.config.ConfigException;
import org.hirengine.engine.config.SftConfig;
import org.hirengine.engine.experience.DataOrder;
import org.hirengine.engine.experience.Randoms;
import org.hirengine.engine.experience.TrainingRow;
import org.hirengine.engine.hub.Hub;
import org.hirengine.engine.model.CompanionFiles;
import org.hirengine.engine.model.ForwardPass.Activations;
import org.hirengine.engine.model.InitialWeights;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.PolicyFiles;
import org.hirengine.engine.model.Scorer;
import org.hirengine.engine.runs.RunFolder;
import org.hirengine.engine.runtime.DeviceMemory;
import org.hirengine.engine.runtime.NativeExecutor;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.tokens.PromptEncoder;
import org.hirengine.engine.tokens.Tokenizer;
import org.hirengine.engine.update.Optimizer;
import org.hirengine.engine.update.PolicyLoss;
import org.hirengine.engine.update.PolicyUpdate;
import org.hirengine.engine.update.UpdateReport;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;

/**
 * Supervised learning on pairs of prompt and response.
 *
 * <p>Cross-entropy is the policy loss with a ratio that is always 1 and advantage 1, so the engine
 * that trains by reinforcement trains this, too.
 */
public final class SftTrainer implements AutoCloseable {

  private final SftConfig config;
  private final CompanionFiles companions;
  private final NativeExecutor executor;
  private final Policy policy;
  private final Optimizer optimizer;
  private final PolicyUpdate update;
  private final Pairs pairs;
  private final DataOrder order;
  private final long updates;
  private long taken;
  private final FailedUpdates failed = new FailedUpdates();
  private final RunControl control = new RunControl("trainer", this::free);

  /**
   * What one update did.
   *
   * @param update from 1
   * @param updates of the whole run
   * @param loss cross-entropy per response token before the update, in nats; NaN where it is not
   *     finite
   * @param gradientNorm before clipping; NaN where the update was skipped
   * @param tokens response tokens trained on
   * @param seconds wall time
   */
  public record Progress(
      long update, long updates, double loss, double gradientNorm, long tokens, double seconds) {}

  private SftTrainer(
      SftConfig config,
      CompanionFiles companions,
      NativeExecutor executor,
      Policy policy,
      Optimizer optimizer,
      Pairs pairs,
      int microTokens) {
    this.config = config;
    this.companions = companions;
    this.executor = executor;
    this.policy = policy;
    this.optimizer = optimizer;
    this.pairs = pairs;
    updates = updates(config, pairs);
    order = new DataOrder(pairs.rows().size(), config.shuffle(), new Randoms(config.seed()));
    PolicyUpdate.Budget budget =
        new PolicyUpdate.Budget(
            microTokens,
            true,
            Scorer.DEFAULT_LOGIT_BYTES,
            config.recompute() ? Activations.RECOMPUTE : Activations.KEEP);
    update =
        new PolicyUpdate(
            policy,
            NativeRuntime.kernels(config.device()),
            PolicyLoss.CROSS_ENTROPY,
            budget,
            optimizer);
  }

  private static Path source(SftConfig config) {
    return Objects.requireNonNull(config.model() == null ? config.init() : config.model().path());
  }

  private static long updates(SftConfig config, Pairs pairs) {
    long perPass = (pairs.rows().size() + config.batch() - 1L) / config.batch();
    return config.steps() == null ? perPass * config.epochs() : config.steps();
  }

  /**
   * Reads model and pairs.
   *
   * @throws ConfigException when neither chat template nor tokenizer name a token that ends a
   *     response
   */
  public static SftTrainer open(SftConfig config) throws IOException {
    return open(config, Hub.standard());
  }

  /**
   * Like {@link #open(SftConfig)}.
   *
   * @param hub finds what is given by Hub name
   */
  public static SftTrainer open(SftConfig given, Hub hub) throws IOException {
    SftConfig config = given.locate(hub::find);
    Path source = source(config);
    ModelConfig model = ModelConfig.read(source);
    CompanionFiles companions = CompanionFiles.read(source);
    NativeExecutor executor = TrainingEngine.executor(config.threads());
    try (Tokenizer tokenizer = Tokenizer.load(source)) {
      model.checkTokenizer(source, tokenizer.vocabularySize());
      String now = config.now() == null ? ChatClock.now() : config.now();
      PromptEncoder prompts =
          TrainingEngine.encoder(source, tokenizer, now, config.controlTokens());
      int stopId = stopId(prompts, tokenizer, source);
      Pairs pairs = Pairs.read(config, prompts, stopId);
      return executor.call(() -> create(config, companions, executor, pairs));
    } catch (IOException | RuntimeException e) {
      executor.close();
      throw e;
    }
  }

  /** The chat template's end-of-turn token, else the tokenizer's end-of-text token. */
  private static int stopId(PromptEncoder prompts, Tokenizer tokenizer, Path source) {
    OptionalInt turn = prompts.endOfTurnId();
    OptionalInt stop = turn.isPresent() ? turn : tokenizer.eosId();
    return stop.orElseThrow(
        () ->
            new ConfigException(
                source
                    + ": neither the chat template ends a turn with a special token nor does the"
                    + " tokenizer name an eos_token, so a response could not end; name one in"
                    + " tokenizer_config.json"));
  }

  private static SftTrainer create(
      SftConfig config, CompanionFiles companions, NativeExecutor executor, Pairs pairs) {
    Policy.Options options =
        Policy.Options.trained(new Device(config.device(), 0, 0), config.dtype(), config.optim());
    Kernels kernels = NativeRuntime.kernels(config.device());
    Path source = source(config);
    int microTokens =
        SftPlan.microTokens(
            config,
            ModelConfig.read(source),
            pairs,
            DeviceMemory.atHand(options.device(), 1).orElse(Long.MAX_VALUE));
    Policy policy =
        config.adapts()
            ? PolicyFiles.adapted(
                source,
                options,
                TrainingEngine.adapter(config.adapter(), config.lora(), config.seed()))
            : config.model() != null
                ? PolicyFiles.load(source, options)
                : InitialWeights.random(ModelConfig.read(source), options, config.seed());
    try {
      Optimizer optimizer = new Optimizer(policy, kernels, config.optim(), updates(config, pairs));
      return new SftTrainer(config, companions, executor, policy, optimizer, pairs, microTokens);
    } catch (RuntimeException e) {
      policy.close();
      throw e;
    }
  }

  /** Tokens of a micro-batch as they are now: fewer once memory was out. */
  public int microTokens() {
    return update.microTokens();
  }

  /** Pairs to learn from, and those left out because they are too long. */
  public int pairs() {
    return pairs.rows().size();
  }

  /** Pairs left out because they exceed {@code max_tokens}. */
  public int tooLong() {
    return pairs.tooLong();
  }

  /**
   * Pairs whose texts hold what reads as a control token of the model; {@code control_tokens} says
   * how it is read.
   */
  public int controlTokens() {
    return pairs.controlTokens();
  }

  /** Lines of data that were skipped; {@link #run} writes them to the folder, with reasons. */
  public int badRows() {
    return pairs.bad().size();
  }

  /**
   * Makes all updates, then writes the model folder. Ctrl-C, {@link #requestStop} and an interrupt
   * of this thread, which stays set, make it write the model as it is.
   *
   * @param listener called after every update
   * @throws IllegalStateException when three updates in a row have no finite gradient
   */
  public void run(Consumer<Progress> listener) throws IOException {
    control.toTheEnd(
        () -> {
          Files.createDirectories(config.out());
          TrainingData.writeBad(config.out().resolve(RunFolder.BAD_ROWS), pairs.bad());
          while (taken < updates && !control.stopping()) {
            listener.accept(step());
          }
          save(config.out());
          return Boolean.TRUE;
        });
  }

  /** Makes {@link #run} end after the update under way; callable from any thread. */
  public void requestStop() {
    control.requestStop();
  }

  /** Makes one update. */
  public Progress step() {
    return control.alone(this::takeStep);
  }

  private Progress takeStep() {
    long started = System.nanoTime();
    List<TrainingRow> batch = new ArrayList<>();
    for (int i = 0; i < config.batch(); i++) {
      batch.add(pairs.rows().get(order.next()));
    }
    UpdateReport report = executor.call(() -> update.update(batch));
    taken++;
    failed.count(report);
    if (failed.tooMany()) {
      throw new IllegalStateException(
          FailedUpdates.MOST
              + " updates in a row were not finite ("
              + report.problem()
              + "); lower optim.lr, or look at the data");
    }
    return new Progress(
        taken,
        updates,
        report.originals().weight() > 0 ? -report.originals().logprob() : Double.NaN,
        report.gradientNorm(),
        report.made() == 0 ? 0 : batch.stream().mapToLong(row -> row.response().length).sum(),
        (System.nanoTime() - started) / 1e9);
  }

  /** How often memory was out and half of the tokens at once did. */
  public int memoryRetries() {
    return update.shortages();
  }

  /** Writes the policy as it is, in Hugging Face layout, float32; an adapter in PEFT's. */
  public void save(Path folder) throws IOException {
    control.alone(
        () ->
            executor.callIo(
                () -> {
                  PolicyFiles.save(policy, DType.FLOAT32, companions, folder);
                  return Boolean.TRUE;
                }));
  }

  /**
   * Frees all native memory. Where another thread is in {@link #run}, requests the stop and waits
   * for it.
   *
   * @throws IllegalStateException when the listener of {@link #run} calls it
   */
  @Override
  public void close() {
    control.close();
  }

  private void free() {
    executor.run(
        () -> {
          optimizer.close();
          policy.close();
        });
    executor.close();
  }
}
