package org.hirengine.engine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.hirengine.engine.config.ConfigException;
import org.hirengine.engine.config.JudgeSection;
import org.hirengine.engine.config.ReplaySection;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.config.VerifySection;
import org.hirengine.engine.distributed.DistributedException;
import org.hirengine.engine.distributed.ProcessGroup;
import org.hirengine.engine.hub.Hub;
import org.hirengine.engine.hub.HubName;
import org.hirengine.engine.hub.Location;
import org.hirengine.engine.runs.RunFolder;
import org.hirengine.engine.runs.StepMetrics;
import org.hirengine.engine.runs.Summary;
import org.hirengine.engine.train.TrainingData;
import org.hirengine.engine.train.TrainingListener;
import org.hirengine.engine.train.TrainingRun;
import org.hirengine.replay.AchievedRewriter;
import org.hirengine.replay.DropRewriter;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.ObservedParameters;
import org.hirengine.replay.Phrasing;
import org.hirengine.replay.Probe;
import org.hirengine.replay.Rewriter;
import org.hirengine.replay.SentenceCatalogue;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.Verifiers;
import org.hirengine.verify.judge.JudgeOptions;
import org.hirengine.verify.judge.ModelJudge;
import org.jspecify.annotations.Nullable;

/**
 * Trains a policy to follow instructions with many constraints: sampling, verification, hindsight
 * replay, policy update, evaluation, checkpoints.
 *
 * <pre>{@code
 * TrainConfig config = TrainConfig.load(Path.of("hir.yaml"), List.of("train.steps=20"));
 * try (HirTrainer trainer = HirTrainer.builder().config(config).build()) {
 *   Summary summary = trainer.run();
 * }
 * }</pre>
 *
 * <p>One thread at a time; {@link #requestStop} and {@link #close} may be called from others. An
 * interrupt of the training thread counts as {@link #requestStop}; the thread stays interrupted.
 * Everything native happens on a thread that the trainer owns, and {@link #close} frees it all.
 */
public final class HirTrainer implements AutoCloseable {

  private final TrainingRun run;
  private final ProcessGroup group;

  private HirTrainer(TrainingRun run, ProcessGroup group) {
    this.run = run;
    this.group = group;
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Builds a trainer; only the configuration is required. */
  public static final class Builder {
    private @Nullable TrainConfig config;
    private RunFolder.Existing existing = RunFolder.Existing.REFUSE;
    private @Nullable Verifiers verifiers;
    private @Nullable Rewriter rewriter;
    private @Nullable List<Instruction> instructions;
    private @Nullable List<Instruction> heldOut;
    private Hub hub = Hub.standard();
    private ProcessGroup group = ProcessGroup.ALONE;
    private final List<TrainingListener> listeners = new ArrayList<>();

    private Builder() {}

    public Builder config(TrainConfig value) {
      config = value;
      return this;
    }

    /** What to do with a run folder that is not empty; refuses it by default. */
    public Builder existing(RunFolder.Existing value) {
      existing = value;
      return this;
    }

    /** Verifiers to use instead of the standard ones. */
    public Builder verifiers(Verifiers value) {
      verifiers = value;
      return this;
    }

    /** A rewriter to use instead of the one that {@code replay.rewrite} names. */
    public Builder rewriter(Rewriter value) {
      rewriter = value;
      return this;
    }

    /** Instructions to train on, instead of {@code data.train}. */
    public Builder instructions(List<Instruction> value) {
      instructions = List.copyOf(value);
      return this;
    }

    /** Instructions to evaluate on, instead of {@code data.eval}. */
    public Builder heldOut(List<Instruction> value) {
      heldOut = List.copyOf(value);
      return this;
    }

    /** Finds models and data that the configuration names by their Hub names. */
    public Builder hub(Hub value) {
      hub = value;
      return this;
    }

    /**
     * Trains together with other processes, each of which builds such a trainer with the same
     * configuration and data and makes the same calls: each takes its share of the prompts, all
     * have the same weights, and the first writes the run folder. The caller closes the group,
     * after the trainer.
     *
     * @param value such as the result of {@link ProcessGroup#join}
     */
    public Builder distributed(ProcessGroup value) {
      group = value;
      return this;
    }

    /** Adds a listener; listeners are called in the order they were added. */
    public Builder listener(TrainingListener value) {
      listeners.add(value);
      return this;
    }

    /**
     * Downloads missing files that the configuration gives by Hub name, reads data and models, and
     * opens the run folder.
     *
     * @throws IOException when a file cannot be read
     * @throws RuntimeException of {@code ConfigException}, {@code DataException}, {@code
     *     HubException}, {@code ModelException} or {@code RunException}, each naming file, field
     *     and remedy
     */
    public HirTrainer build() throws IOException {
      return together(group, this::opened);
    }

    private HirTrainer opened() throws IOException {
      TrainConfig given = Objects.requireNonNull(config, "config is required");
      requireShared(given);
      TrainConfig resolved = locatedOnce(given);
      TrainingListener told = TrainingListener.all(listeners);
      Verifiers judging = verifiers == null ? verifiers(resolved) : verifiers;
      TrainingData train = data(instructions, resolved.data().train(), resolved, judging);
      Location evalFile = resolved.data().eval();
      TrainingData held =
          heldOut == null && evalFile == null ? null : data(heldOut, evalFile, resolved, judging);
      Location probes = resolved.eval().probes();
      TrainingRun run =
          TrainingRun.open(
              new TrainingRun.Parts(
                  resolved,
                  existing,
                  judging,
                  rewriter == null ? rewriter(resolved, judging, train) : rewriter,
                  train,
                  held,
                  probes == null ? List.of() : Probe.read(probes.path()),
                  told,
                  group));
      return new HirTrainer(run, group);
    }

    /** Ranks with other settings would train on together without a word. */
    private void requireShared(TrainConfig given) {
      List<String> mine = new ArrayList<>();
      given.shared().forEach((key, value) -> mine.add(key + ": " + value));
      byte[] text = String.join("\n", mine).getBytes(StandardCharsets.UTF_8);
      List<List<String>> all =
          group.gather("configurations", text).stream()
              .map(bytes -> List.of(new String(bytes, StandardCharsets.UTF_8).split("\n")))
              .toList();
      List<String> first = all.get(0);
      for (int rank = 1; rank < all.size(); rank++) {
        for (int i = 0; i < first.size(); i++) {
          String other = i < all.get(rank).size() ? all.get(rank).get(i) : "nothing";
          if (!other.equals(first.get(i))) {
            throw new ConfigException(
                "rank %d was given %s, and rank 0 %s: give all ranks the same settings"
                    .formatted(rank, other, first.get(i)));
          }
        }
      }
    }

    /** One rank per machine downloads, the others find the files. */
    private TrainConfig locatedOnce(TrainConfig given) {
      TrainConfig early = group.localRank() == 0 ? located(given) : null;
      group.gather("models and data", new byte[0]);
      return early == null ? located(given) : early;
    }

    /** A resumed run keeps the commits that its configuration records. */
    private TrainConfig located(TrainConfig given) {
      List<HubName> recorded = new ArrayList<>();
      Path written = given.out().resolve(RunFolder.CONFIG);
      if (existing == RunFolder.Existing.RESUME && hasMovingName(given) && Files.exists(written)) {
        TrainConfig.load(written, List.of())
            .locate(
                location -> {
                  location.name().filter(HubName::pinned).ifPresent(recorded::add);
                  return location;
                });
      }
      return given.locate(
          location ->
              hub.find(
                  location
                      .name()
                      .filter(name -> !name.pinned())
                      .flatMap(name -> recorded.stream().filter(name::covers).findFirst())
                      .map(Location::of)
                      .orElse(location)));
    }

    private static boolean hasMovingName(TrainConfig given) {
      boolean[] moving = new boolean[1];
      given.locate(
          location -> {
            moving[0] |= location.name().filter(name -> !name.pinned()).isPresent();
            return location;
          });
      return moving[0];
    }

    private static TrainingData data(
        @Nullable List<Instruction> given,
        @Nullable Location file,
        TrainConfig config,
        Verifiers verifiers)
        throws IOException {
      VerifySection.NoVerdict noVerdict = config.verify().noVerdict();
      return given != null
          ? TrainingData.of(given, verifiers, noVerdict)
          : TrainingData.read(
              Objects.requireNonNull(file).path(), config.data().badRows(), verifiers, noVerdict);
    }

    private static Verifiers verifiers(TrainConfig config) throws IOException {
      Path textData = config.verify().textData();
      JudgeSection asked = config.verify().judge();
      Optional<ModelJudge> judge;
      try {
        judge =
            new JudgeOptions(
                    asked.cache(),
                    asked.template(),
                    asked.parallel(),
                    asked.timeoutS(),
                    asked.retries(),
                    asked.stripThinking())
                .judge(System.getenv());
      } catch (IllegalArgumentException e) {
        throw new ConfigException("verify.judge: " + e.getMessage(), e);
      }
      Verifiers.Builder builder = Verifiers.builder().unread(config.verify().unread());
      if (textData != null) {
        builder.textData(textData);
      }
      judge.ifPresent(builder::judge);
      return builder.build();
    }

    private static Rewriter rewriter(TrainConfig config, Verifiers verifiers, TrainingData train)
        throws IOException {
      if (config.replay().rewrite() != ReplaySection.Rewrite.ACHIEVE) {
        return new DropRewriter();
      }
      Path sentences = config.replay().sentences();
      Phrasing phrasing =
          sentences == null ? ConstraintType::sentence : SentenceCatalogue.read(sentences);
      return new AchievedRewriter(
          verifiers,
          phrasing,
          new ObservedParameters(train.instructions()),
          dropped(config, verifiers),
          config.replay().floor());
    }

    private static Set<String> dropped(TrainConfig config, Verifiers verifiers) {
      Set<String> dropped = new HashSet<>();
      String ids = config.replay().dropTypes();
      for (String id : ids == null ? new String[0] : ids.split(",")) {
        if (verifiers.benches().stream()
            .noneMatch(b -> verifiers.type(b, id.strip()).isPresent())) {
          throw new ConfigException(
              "replay.drop_types: there is no constraint type '" + id.strip() + "'");
        }
        dropped.add(id.strip());
      }
      return dropped;
    }
  }

  private interface Part<T> {
    T take() throws IOException;
  }

  /** A failing rank tells the others, so that they do not wait for it. */
  private static <T> T together(ProcessGroup group, Part<T> part) throws IOException {
    try {
      return part.take();
    } catch (IOException | RuntimeException | Error e) {
      if (!group.fail(e)) {
        throw DistributedException.asAnother(e);
      }
      throw e;
    }
  }

  /**
   * Takes all remaining steps, with the evaluations before and after; see {@link TrainingRun#run}.
   */
  public Summary run() throws IOException {
    return together(group, run::run);
  }

  /** Takes one training step; see {@link TrainingRun#step}. */
  public StepMetrics step() throws IOException {
    return together(group, run::step);
  }

  /**
   * Whether there is no further step to take: {@code train.steps} or {@code train.max_rollouts} is
   * reached, or a stop was requested.
   */
  public boolean finished() {
    return run.finished() || run.stopping();
  }

  /** Steps taken, including those before a resume. */
  public int steps() {
    return run.steps();
  }

  /** Writes a checkpoint now; its folder is a model folder in Hugging Face layout. */
  public Path save() throws IOException {
    return together(group, run::save);
  }

  /**
   * Makes {@link #run} finish the current step, save and return. A loop over {@link #step} ends
   * too: the current step saves, then {@link #finished} is true. Callable from any thread.
   */
  public void requestStop() {
    run.requestStop();
  }

  /**
   * Frees all native memory and the run folder. If another thread is in {@link #run} or {@link
   * #step}, requests a stop and waits for it; otherwise does not save.
   */
  @Override
  public void close() {
    run.close();
  }
}
