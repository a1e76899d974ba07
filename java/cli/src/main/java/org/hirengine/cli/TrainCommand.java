package org.hirengine.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.hirengine.engine.HirTrainer;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.distributed.GroupOptions;
import org.hirengine.engine.distributed.Launch;
import org.hirengine.engine.distributed.ProcessGroup;
import org.hirengine.engine.runs.RunFolder.Existing;
import org.hirengine.engine.runs.Summary;
import org.hirengine.replay.JsonLines;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code hir train}: reinforcement learning with hindsight instruction replay. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    description = {
      "Trains a policy to follow instructions with many constraints.",
      "",
      "Shows the progress, then held-out accuracy before and after. The folder 'out' of the"
          + " configuration receives config.yaml, metrics.jsonl, TensorBoard events, rollouts,"
          + " checkpoints and summary.json. Ctrl-C finishes the current step, saves a checkpoint"
          + " and exits; --resume continues from there."
    },
    footer = {
      "",
      "Examples:",
      "  hir train data/demo/hir.yaml",
      "  hir train data/demo/hir.yaml train.steps=20 optim.lr=1e-4 out=runs/short --overwrite",
      "  hir train data/demo/hir.yaml --seeds 1,2,3",
      "  hir train my.yaml model=Qwen/Qwen3-0.6B",
      "  hir train data/demo/hir.yaml --resume",
      "  hir train data/demo/hir.yaml --nproc 2",
      "  torchrun --no-python --nproc-per-node 8 hir train my.yaml device=cuda"
    })
final class TrainCommand implements Callable<Integer> {

  @Mixin private ConfigOptions config;

  @Option(
      names = "--seeds",
      split = ",",
      paramLabel = "S",
      description =
          "Runs once for each seed, in folders seed-S below 'out', and prints mean and spread.")
  private List<Long> seeds = List.of();

  @Option(
      names = "--nproc",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Train with N processes of this machine (ranks): one per GPU, or on the CPU with an equal"
              + " share of the cores. The run is the same as with one process, only faster. Under"
              + " torchrun and other launchers each process is one rank.")
  private int ranks;

  /** Some launchers pass it; LOCAL_RANK says the same. */
  @Option(
      names = {"--local-rank", "--local_rank"},
      hidden = true)
  private @Nullable Integer localRank;

  @Option(names = "--resume", description = "Continue the run in 'out'.")
  private boolean resume;

  @Option(names = "--overwrite", description = "Delete the run in 'out' and start anew.")
  private boolean overwrite;

  @Option(
      names = "--skip-bad",
      description =
          "Leave out lines of data that cannot be used, and write them with reasons to"
              + " bad_rows.jsonl in 'out' (data.bad_rows=skip); otherwise the first one is an"
              + " error.")
  private boolean skipBad;

  @Option(names = "--json", description = "Print the summary as JSON.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if (resume && overwrite) {
      throw new ParameterException(
          spec.commandLine(), "--resume and --overwrite exclude each other");
    }
    if (ranks < 1) {
      throw new ParameterException(spec.commandLine(), "--nproc must be at least 1");
    }
    List<TrainConfig> runs = runs();
    if (ranks > 1) {
      return launch();
    }
    TrainConfig first = runs.get(0);
    try (ProcessGroup group = ProcessGroup.join(System.getenv(), options(first))) {
      return trainAll(runs, group);
    }
  }

  private int launch() throws IOException {
    if (System.getenv("RANK") != null) {
      throw new ParameterException(
          spec.commandLine(),
          "--nproc starts ranks, but RANK says that this process is one already");
    }
    List<String> arguments = new ArrayList<>();
    List<String> given = spec.root().commandLine().getParseResult().originalArgs();
    for (int i = 0; i < given.size(); i++) {
      if (given.get(i).equals("--nproc")) {
        i++; // and its value
      } else if (!given.get(i).startsWith("--nproc=")) {
        arguments.add(given.get(i));
      }
    }
    return LocalRanks.run(
        ranks, arguments, spec.commandLine().getOut(), spec.commandLine().getErr());
  }

  private static GroupOptions options(TrainConfig config) {
    return new GroupOptions(
        Duration.ofSeconds(config.distributed().timeout()),
        config.device(),
        config.threads(Launch.of(System.getenv()).map(Launch::localSize).orElse(1)));
  }

  private int trainAll(List<TrainConfig> runs, ProcessGroup group) throws IOException {
    endWithTheLauncher();
    List<Summary> summaries = new ArrayList<>();
    for (TrainConfig run : runs) {
      Summary summary = train(run, group);
      if (summary == null) {
        return 1;
      }
      summaries.add(summary);
    }
    if (group.first()) {
      print(summaries);
    }
    return 0;
  }

  /** A rank whose launcher is gone would keep running unnoticed. */
  private static void endWithTheLauncher() {
    String launcher = System.getenv(LocalRanks.LAUNCHER);
    if (launcher != null) {
      ProcessHandle.of(Long.parseLong(launcher))
          .map(ProcessHandle::onExit)
          .orElse(CompletableFuture.completedFuture(null))
          .thenRun(() -> Runtime.getRuntime().halt(1));
    }
  }

  /** One configuration for each seed, or just the one. */
  private List<TrainConfig> runs() {
    List<String> given = new ArrayList<>(config.overrides());
    if (skipBad) {
      given.add("data.bad_rows=skip");
    }
    TrainConfig single = TrainConfig.load(config.file(), given);
    if (seeds.isEmpty()) {
      return List.of(single);
    }
    List<TrainConfig> runs = new ArrayList<>();
    for (long seed : seeds) {
      List<String> settings = new ArrayList<>(given);
      settings.add("train.seed=" + seed);
      settings.add("out=" + single.out().resolve("seed-" + seed));
      runs.add(TrainConfig.load(config.file(), settings));
    }
    return runs;
  }

  /** Trains to the end; null when it was stopped before. */
  private @Nullable Summary train(TrainConfig run, ProcessGroup group) throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    if (group.first() && group.size() > 1) {
      err.printf("%d ranks of %d threads%n", group.size(), run.threads(group.localSize()));
    }
    try (PrintWriter log = RankLog.of(run.out(), group.rank());
        TrainConsole console = new TrainConsole(run, group.first() ? err : log);
        HirTrainer trainer =
            HirTrainer.builder()
                .config(run)
                .existing(
                    resume ? Existing.RESUME : overwrite ? Existing.OVERWRITE : Existing.REFUSE)
                .listener(console)
                .hub(Downloads.hub(err))
                .distributed(group)
                .build()) {
      Summary summary = trainer.run();
      return trainer.finished() ? summary : null;
    }
  }

  private void print(List<Summary> summaries) {
    PrintWriter out = spec.commandLine().getOut();
    SummaryTable table = new SummaryTable(summaries);
    if (!json) {
      table.print(out);
    } else if (seeds.isEmpty()) {
      out.println(JsonLines.write(table.json().get("runs").get(0)));
    } else {
      out.println(JsonLines.write(table.json()));
    }
    out.flush();
  }
}
