package org.hirengine.engine.train;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import org.hirengine.engine.algo.KlController;
import org.hirengine.engine.config.KlSection;
import org.hirengine.engine.config.KlSection.Controller;
import org.hirengine.engine.config.ReplaySection.Rewrite;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.config.TrainSection;
import org.hirengine.engine.distributed.ProcessGroup;
import org.hirengine.engine.experience.DataOrder;
import org.hirengine.engine.experience.Randoms;
import org.hirengine.engine.experience.RankShares;
import org.hirengine.engine.experience.ReplayMaker;
import org.hirengine.engine.experience.Sampler;
import org.hirengine.engine.experience.StepBatch;
import org.hirengine.engine.experience.StepSampler;
import org.hirengine.engine.experience.StepSampler.Sampled;
import org.hirengine.engine.experience.Stopwatch;
import org.hirengine.engine.experience.Stopwatch.Part;
import org.hirengine.engine.experience.Task;
import org.hirengine.engine.experience.TaskSource;
import org.hirengine.engine.experience.Verification;
import org.hirengine.engine.runs.HeldOut;
import org.hirengine.engine.runs.Metric;
import org.hirengine.engine.runs.RunException;
import org.hirengine.engine.runs.RunFolder;
import org.hirengine.engine.runs.RunLog;
import org.hirengine.engine.runs.StepGuards;
import org.hirengine.engine.runs.StepMetrics;
import org.hirengine.engine.runs.Summary;
import org.hirengine.engine.update.StepUpdate;
import org.hirengine.engine.update.UpdateReport;
import org.hirengine.kernels.KernelException;
import org.hirengine.replay.BadRow;
import org.hirengine.replay.Probe;
import org.hirengine.replay.Rewriter;
import org.hirengine.verify.Verifiers;
import org.jspecify.annotations.Nullable;

/**
 * A training run (ALGORITHM 2): its counters, its folder and its steps. {@link
 * org.hirengine.engine.HirTrainer} is its public face.
 *
 * <p>One thread at a time takes steps; {@link #requestStop} and {@link #close} may be called from
 * any. An interrupt of the thread that trains is a request to stop, and stays set.
 */
public final class TrainingRun implements AutoCloseable {

  private final TrainConfig config;
  private final ProcessGroup group;
  private final TrainingListener listener;
  private final RunWarnings warnings;
  private final RunFolder folder;
  private final TrainingEngine engine;
  private final Verification verification;
  private final TaskSource source;
  private final StepSampler stepSampler;
  private final ReplayMaker replayMaker;
  private final StepUpdate update;
  private final @Nullable Evaluation evaluation;
  private final Checkpoints checkpoints;
  private final RunLog log;
  private final StepGuards guards;
  private final FailedUpdates failed = new FailedUpdates();
  private final RunControl control = new RunControl("run", this::free);
  private final KlController kl;
  private final @Nullable String reference;
  private final String now;
  private final long openedAt = System.nanoTime();
  private final double secondsBefore;

  private int step;
  private long rollouts;
  private long generatedTokens;
  private int savedStep;
  private @Nullable HeldOut before;
  private @Nullable HeldOut latest;
  private int latestStep = -1;
  private volatile boolean stopAgreed;

  /**
   * What a run is made of.
   *
   * @param train instructions to train on
   * @param heldOut instructions to evaluate on; null runs without evaluation
   * @param probes trip wires that every evaluation asks
   * @param group the processes that train together, of which the first writes
   */
  public record Parts(
      TrainConfig config,
      RunFolder.Existing existing,
      Verifiers verifiers,
      Rewriter rewriter,
      TrainingData train,
      @Nullable TrainingData heldOut,
      List<Probe> probes,
      TrainingListener listener,
      ProcessGroup group) {

    private Parts with(TrainConfig decided) {
      return new Parts(
          decided, existing, verifiers, rewriter, train, heldOut, probes, listener, group);
    }

    /** Lines of all data that were skipped. */
    private List<BadRow> badRows() {
      List<BadRow> rows = new ArrayList<>(train.bad());
      if (heldOut != null) {
        rows.addAll(heldOut.bad());
      }
      return rows;
    }
  }

  private TrainingRun(
      Parts parts,
      RunFolder folder,
      TrainingEngine engine,
      Checkpoints checkpoints,
      Checkpoints.@Nullable Found found,
      @Nullable String reference,
      String now) {
    config = parts.config;
    group = parts.group;
    listener = parts.listener;
    warnings = new RunWarnings(config, listener);
    this.folder = folder;
    this.engine = engine;
    this.checkpoints = checkpoints;
    this.reference = reference;
    this.now = now;
    verification = new Verification(parts.verifiers, engine.tokenizer, config, group.localSize());
    Randoms randoms = new Randoms(config.train().seed());
    DataOrder order =
        new DataOrder(parts.train.instructions().size(), config.data().shuffle(), randoms);
    source =
        new TaskSource(parts.train.instructions(), engine.encoder, config.limits().prompt(), order);
    Sampler sampler =
        new Sampler(
            engine.executor,
            engine.rollouts,
            engine.scorer,
            engine.referenceScorer,
            verification,
            config,
            new RankShares(group),
            listener::progress);
    stepSampler = new StepSampler(config, sampler);
    replayMaker = new ReplayMaker(config, parts.rewriter, source, verification, sampler);
    update = new StepUpdate(config.train(), engine.update);
    evaluation =
        parts.heldOut == null
            ? null
            : new Evaluation(
                config.eval(), sampler, source, parts.heldOut.instructions(), parts.probes);
    guards = new StepGuards(config.guards());
    KlSection k = config.kl();
    kl =
        k.controller() == Controller.ADAPTIVE
            ? KlController.adaptive(k.beta(), k.target(), k.horizon())
            : KlController.fixed(k.beta());
    secondsBefore = found == null ? 0 : found.state().seconds();
    if (found != null) {
      restore(found);
    }
    log = new RunLog(folder, step, config.log().rollouts(), config.log().tensorboard());
    warnOfData(parts);
  }

  /**
   * Opens the run folder, and loads models and, when continuing, the newest checkpoint.
   *
   * @throws RunException when the folder cannot be used as asked, or the checkpoint is of another
   *     run
   */
  public static TrainingRun open(Parts given) throws IOException {
    // A mistyped model, or one that is too large, is found out before --overwrite deletes anything.
    TrainingPlan plan =
        TrainingPlan.of(TrainingPlan.asBegun(given.config, given.existing), given.group);
    plan.refuseIfTooLarge();
    Parts parts = given.with(plan.plan().config());
    TrainConfig config = parts.config;
    ProcessGroup group = parts.group;
    RunFolder folder =
        group.first()
            ? RunFolder.open(config.out(), parts.existing)
            : RunFolder.writtenByAnother(config.out());
    try {
      Checkpoints checkpoints = new Checkpoints(folder.checkpoints(), config.checkpoint().keep());
      Checkpoints.Found found = found(checkpoints, folder, group);
      String reference =
          config.kl().needsReference() ? WeightDigest.sha256(config.model().path()) : null;
      if (found != null && !Objects.equals(reference, found.state().reference())) {
        throw new RunException(
            config.model().path()
                + " is not the reference policy that "
                + found.path()
                + " was trained against",
            "restore the model folder, or start anew with --overwrite");
      }
      String now = group.ofFirst("date", TrainingEngine.now(config, found));
      TrainingEngine engine =
          TrainingEngine.open(
              config, found == null ? config.model().path() : found.path(), now, group);
      try {
        parts.listener.planned(plan.plan());
        folder.writeConfig(config.toYaml());
        if (folder.writes()) {
          TrainingData.writeBad(folder.badRows(), parts.badRows());
        }
        return new TrainingRun(parts, folder, engine, checkpoints, found, reference, now);
      } catch (RuntimeException e) {
        engine.close();
        throw e;
      }
    } catch (IOException | RuntimeException e) {
      folder.close();
      throw e;
    }
  }

  /** The checkpoint to continue from: on all ranks the one that the first finds newest. */
  private static Checkpoints.@Nullable Found found(
      Checkpoints checkpoints, RunFolder folder, ProcessGroup group) throws IOException {
    Checkpoints.Found found = null;
    if (folder.writes()) {
      checkpoints.clean();
      found = folder.resumed() ? checkpoints.latest().orElse(null) : null;
    }
    String step = group.ofFirst("checkpoint", found == null ? "" : "" + found.state().step());
    return folder.writes() || step.isEmpty() ? found : checkpoints.at(Integer.parseInt(step));
  }

  private void warnOfData(Parts parts) {
    warnings.data(parts.train);
    if (parts.heldOut != null) {
      warnings.heldOut(parts.heldOut);
    }
    warnings.controlTokens(parts.train.instructions(), engine.encoder);
    warnings.badRows(parts.badRows().size(), folder.badRows());
    if (evaluation != null) {
      warnings.heldOutTooLong(evaluation.tooLong());
    }
  }

  private void restore(Checkpoints.Found found) {
    TrainerState state = found.state();
    engine.executor.run(() -> Checkpoints.restore(found, engine.optimizer));
    source.restore(state.dataPosition(), state.tooLong());
    kl.restore(state.klBeta());
    step = state.step();
    savedStep = step;
    rollouts = state.rollouts();
    generatedTokens = state.generatedTokens();
    failed.restore(state.skippedInARow());
    before = state.before();
  }

  /** The native side, for tests that break it. */
  TrainingEngine engine() {
    return engine;
  }

  /** Steps taken. */
  public int steps() {
    return step;
  }

  /** Responses sampled for training so far. */
  public long rollouts() {
    return rollouts;
  }

  /** Whether {@code train.steps} or {@code train.max_rollouts} is reached. */
  public boolean finished() {
    return finishedAfter(step, rollouts);
  }

  private boolean finishedAfter(int steps, long sampled) {
    Long most = config.train().maxRollouts();
    long next = (long) config.train().prompts() * config.samplesPerPrompt();
    return steps >= config.train().steps() || (most != null && sampled + next > most);
  }

  /** Makes {@link #run} finish the step under way, save and return. */
  public void requestStop() {
    control.requestStop();
  }

  /** Whether a stop was requested, by {@link #requestStop} or an interrupt of this thread. */
  public boolean stopping() {
    return group.size() > 1 ? stopAgreed : control.stopping();
  }

  /** All ranks stop after the same step. */
  private void agreeOnStop() {
    if (group.size() > 1) {
      stopAgreed |= group.any("stop", control.stopping());
    }
  }

  /**
   * Evaluates, takes all remaining steps, evaluates again, saves, and writes the summary. On {@link
   * #requestStop}, Ctrl-C and SIGTERM it finishes the step, saves and returns.
   *
   * @throws TrainingStoppedException when three updates in a row were not finite; a checkpoint was
   *     written
   */
  public Summary run() throws IOException {
    return control.toTheEnd(this::runToEnd);
  }

  private Summary runToEnd() throws IOException {
    agreeOnStop();
    listener.started(step, config.train().steps());
    if (step == 0 && before == null && evaluation != null && !stopping()) {
      before = evaluate();
    }
    while (!finished() && !stopping()) {
      takeStep();
    }
    HeldOut after = null;
    if (finished() && evaluation != null) {
      after = latestStep == step && latest != null ? latest : evaluate();
    }
    if (savedStep != step || step == 0) {
      save();
    }
    TrainSection train = config.train();
    Summary summary =
        new Summary(
            config.algorithmName(),
            train.seed(),
            step,
            rollouts,
            generatedTokens,
            engine.optimizer.updates(),
            seconds(),
            before,
            after);
    folder.writeSummary(summary);
    warnings.verdicts(verification.failures(), verification.judgeProblem());
    return summary;
  }

  private HeldOut evaluate() {
    HeldOut measured = Objects.requireNonNull(evaluation).run();
    latest = measured;
    latestStep = step;
    listener.evaluated(step, measured);
    return measured;
  }

  private double seconds() {
    return secondsBefore + (System.nanoTime() - openedAt) / 1e9;
  }

  /**
   * Takes one training step, logs it, and evaluates and saves when due; also saves when a stop is
   * requested meanwhile.
   *
   * @throws IllegalStateException when the run is finished or closed
   * @throws CancellationException when a stop was requested before
   * @throws TrainingStoppedException when it was the third in a row without a finite update
   */
  public StepMetrics step() throws IOException {
    return control.alone(
        () -> {
          if (finished()) {
            throw new IllegalStateException("the run is finished");
          }
          if (stopping()) {
            throw new CancellationException("a stop was requested after step " + step);
          }
          StepMetrics metrics = takeStep();
          if (stopping() && savedStep != step) {
            save();
          }
          return metrics;
        });
  }

  private StepMetrics takeStep() throws IOException {
    Stopwatch watch = new Stopwatch();
    int number = step + 1;
    int[] before = memoryEvents();
    List<Task> tasks = tasks();
    Sampled sampled;
    try {
      sampled = stepSampler.sample(tasks, number, rollouts, watch);
    } catch (KernelException e) {
      if (!e.notFinite()) {
        throw e;
      }
      throw new TrainingStoppedException(
          "step " + number + ": the policy gives no finite logits any more: " + e.getMessage(),
          "lower optim.lr, then continue from the last checkpoint with --resume");
    }
    long tokens = sampled.trajectories().stream().mapToLong(t -> t.tokens().length).sum();
    ReplayMaker.Result replays =
        replayMaker.make(sampled.trajectories(), sampled.places(), number, watch);
    double beta = kl.beta();
    StepBatch batch = StepBatch.of(config, sampled.trajectories(), replays.replays(), beta);
    long began = System.nanoTime();
    UpdateReport report = update(batch);
    watch.add(Part.UPDATE, began);
    kl.update(batch.meanRowKl(), batch.rows().size());

    step = number;
    rollouts += sampled.trajectories().size();
    generatedTokens += tokens;
    StepMetrics metrics = new StepMetrics(number);
    StepMeasurements.sampled(metrics, sampled.trajectories());
    StepMeasurements.trained(metrics, batch, replays);
    StepMeasurements.updated(metrics, report);
    StepMeasurements.timed(metrics, watch, tokens);
    engine.memory().ifPresent(bytes -> metrics.set(Metric.MEMORY, bytes / 0x1p30));
    int[] events = onAllRanks(memoryEvents(), before);
    if (events[0] > 0) {
      metrics.set(Metric.MEMORY_RETRIES, events[0]);
      warnings.memory(number, engine.update.microTokens());
    }
    if (events[1] > 0) {
      metrics.set(Metric.PREEMPTED_ROWS, events[1]).set(Metric.RECOMPUTED_TOKENS, events[2]);
    }
    metrics
        .set(Metric.ROLLOUTS, (double) rollouts)
        .set(Metric.GENERATED_TOKENS, (double) generatedTokens)
        .set(Metric.UPDATES, (double) engine.optimizer.updates())
        .set(Metric.LR, engine.optimizer.learningRate());
    if (engine.referenceScorer != null) {
      metrics.set(Metric.KL_BETA, beta);
    }
    if (config.replay().rewrite() == Rewrite.DROP) {
      metrics.set(Metric.LAMBDA, replayMaker.lambda(number));
    }
    finish(metrics, batch, report);
    return metrics;
  }

  /** Counts since the run was opened: retries, preempted rows, and tokens recomputed for them. */
  private int[] memoryEvents() {
    return new int[] {engine.shortages(), engine.preempted(), engine.recomputed()};
  }

  /** Sums of what ranks counted since {@code before}. */
  private int[] onAllRanks(int[] now, int[] before) {
    ByteBuffer mine = ByteBuffer.allocate(now.length * Integer.BYTES);
    for (int i = 0; i < now.length; i++) {
      mine.putInt(now[i] - before[i]);
    }
    int[] sums = new int[now.length];
    for (byte[] counts : group.gather("memory retries", mine.array())) {
      ByteBuffer theirs = ByteBuffer.wrap(counts);
      Arrays.setAll(sums, i -> sums[i] + theirs.getInt());
    }
    return sums;
  }

  /** The step's tasks; warns when the first prompts are skipped. */
  private List<Task> tasks() {
    long passedOver = source.tooLong();
    List<Task> tasks = source.next(config.train().prompts());
    if (passedOver == 0 && source.tooLong() > 0) {
      warnings.promptsTooLong();
    }
    return tasks;
  }

  /** What follows an update: evaluation, alarms, the log, a checkpoint. */
  private void finish(StepMetrics metrics, StepBatch batch, UpdateReport report)
      throws IOException {
    int every = config.eval().every();
    if (evaluation != null && (finished() || (every > 0 && step % every == 0))) {
      evaluate().values().forEach(metrics::set);
    }
    guards.check(metrics).forEach(alarm -> listener.warning(alarm.message()));
    warnings.judge(verification.judgeProblem());
    log.step(metrics, batch.records());
    if (report.failed()) {
      warnings.updateLeftOut(step, report.problem());
      if (!config.log().rollouts()) {
        log.dump(step, batch.records());
      }
    }
    listener.step(metrics);
    if (failed.tooMany()) {
      Path saved = save();
      throw new TrainingStoppedException(
          FailedUpdates.MOST
              + " updates in a row were not finite, the last because "
              + report.problem()
              + "; the policy before them is in "
              + saved,
          "lower optim.lr, look at rollouts/step-" + step + ".jsonl, then continue with --resume");
    }
    int saves = config.checkpoint().every();
    if (saves > 0 && step % saves == 0) {
      save();
    }
    agreeOnStop();
  }

  private UpdateReport update(StepBatch batch) {
    boolean pointless = config.optim().skipNoSignal() && batch.withoutSignal();
    if (batch.rows().isEmpty() || pointless) {
      return UpdateReport.NONE.leftOut(update.planned(), "");
    }
    UpdateReport report =
        engine.executor.call(
            () -> update.run(batch.rows(), (done, of) -> listener.progress("update", done, of)));
    failed.count(report);
    return report;
  }

  /** Writes a checkpoint of the steps taken so far. */
  public Path save() throws IOException {
    return control.alone(this::write);
  }

  private Path write() {
    if (!folder.writes()) {
      engine.executor.run(() -> Checkpoints.giveShards(engine.optimizer));
      savedStep = step;
      return checkpoints.path(step);
    }
    log.sync();
    TrainerState state =
        new TrainerState(
            TrainerState.FORMAT,
            step,
            engine.optimizer.updates(),
            rollouts,
            generatedTokens,
            source.position(),
            source.tooLong(),
            failed.inARow(),
            kl.beta(),
            seconds(),
            before,
            now,
            reference);
    Path saved;
    try {
      saved =
          engine.executor.callIo(
              () ->
                  checkpoints.save(
                      state, engine.policy, engine.optimizer, engine.companions, engine.start));
    } catch (IOException e) {
      throw RunException.io(
          "write the checkpoint of step " + step + " into",
          folder.checkpoints(),
          e,
          "free disk space, then continue with --resume");
    }
    savedStep = step;
    listener.checkpoint(step, saved);
    return saved;
  }

  /**
   * Frees everything and unlocks the folder. If another thread is in a step, requests a stop and
   * waits for it. Does nothing the second time.
   *
   * @throws IllegalStateException when a listener calls it: its step is under way
   */
  @Override
  public void close() {
    control.close();
  }

  private void free() {
    verification.close();
    engine.close();
    log.close();
    folder.close();
  }
}
