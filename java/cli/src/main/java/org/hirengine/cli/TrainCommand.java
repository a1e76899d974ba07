package org.hirengine.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.hirengine.engine.HirTrainer;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.runs.RunFolder.Existing;
import org.hirengine.engine.runs.Summary;
import org.hirengine.replay.JsonLines;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
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
      "  hir train data/demo/hir.yaml --resume"
    })
final class TrainCommand implements Callable<Integer> {

  @Parameters(index = "0", paramLabel = "CONFIG.yaml", description = "The run's configuration.")
  private Path config;

  @Parameters(
      index = "1..*",
      paramLabel = "key=value",
      description = "Settings that replace the file's; paths are taken as they are.")
  private List<String> overrides = List.of();

  @Option(
      names = "--seeds",
      split = ",",
      paramLabel = "S",
      description =
          "Runs once for each seed, in folders seed-S below 'out', and prints mean and spread.")
  private List<Long> seeds = List.of();

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
    List<Summary> summaries = new ArrayList<>();
    for (TrainConfig run : runs()) {
      Summary summary = train(run);
      if (summary == null) {
        return 1;
      }
      summaries.add(summary);
    }
    print(summaries);
    return 0;
  }

  /** One configuration for each seed, or just the one. */
  private List<TrainConfig> runs() {
    List<String> given = new ArrayList<>(overrides);
    if (skipBad) {
      given.add("data.bad_rows=skip");
    }
    TrainConfig single = TrainConfig.load(config, given);
    if (seeds.isEmpty()) {
      return List.of(single);
    }
    List<TrainConfig> runs = new ArrayList<>();
    for (long seed : seeds) {
      List<String> settings = new ArrayList<>(given);
      settings.add("train.seed=" + seed);
      settings.add("out=" + single.out().resolve("seed-" + seed));
      runs.add(TrainConfig.load(config, settings));
    }
    return runs;
  }

  /** Trains to the end; null when it was stopped before. */
  private @Nullable Summary train(TrainConfig run) throws IOException {
    try (TrainConsole console = new TrainConsole(run, spec.commandLine().getErr());
        HirTrainer trainer =
            HirTrainer.builder()
                .config(run)
                .existing(
                    resume ? Existing.RESUME : overwrite ? Existing.OVERWRITE : Existing.REFUSE)
                .listener(console)
                .hub(Downloads.hub(spec.commandLine().getErr()))
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
