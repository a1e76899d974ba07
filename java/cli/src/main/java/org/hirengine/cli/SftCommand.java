package org.hirengine.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.hirengine.engine.config.SftConfig;
import org.hirengine.engine.train.SftTrainer;
import org.hirengine.replay.JsonLines;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code hir sft}: supervised training on pairs of prompt and response. */
@Command(
    name = "sft",
    mixinStandardHelpOptions = true,
    description = {
      "Trains a model on pairs of prompt and response, by cross-entropy.",
      "",
      "The data are JSON Lines with a prompt, messages or an instruction, and the response to"
          + " learn; or with a prompt and a completion; or with messages that end with the"
          + " assistant's turn. The trained model is written to 'out' in Hugging Face layout."
    },
    footer = {
      "",
      "Examples:",
      "  hir sft sft.yaml",
      "  hir sft sft.yaml steps=500 optim.lr=1e-3 out=runs/warm --overwrite"
    })
final class SftCommand implements Callable<Integer> {

  @Mixin private ConfigOptions config;

  @Option(names = "--overwrite", description = "Replace the model in an 'out' that is not empty.")
  private boolean overwrite;

  @Option(
      names = "--skip-bad",
      description =
          "Leave out lines of data that cannot be used, and write them with reasons to"
              + " bad_rows.jsonl in 'out' (bad_rows=skip); otherwise the first one is an error.")
  private boolean skipBad;

  @Option(names = "--json", description = "Print the closing figures as JSON.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    List<String> given = new ArrayList<>(config.overrides());
    if (skipBad) {
      given.add("bad_rows=skip");
    }
    SftConfig settings = SftConfig.load(config.file(), given);
    requireFree(settings.out());
    PrintWriter err = spec.commandLine().getErr();
    SftTrainer.Progress last;
    try (SftTrainer trainer = SftTrainer.open(settings, Downloads.hub(err))) {
      err.printf(
          Locale.ROOT,
          "%d pairs, %d left out as too long, %d that cannot be used; %d tokens a micro-batch%n",
          trainer.pairs(),
          trainer.tooLong(),
          trainer.badRows(),
          trainer.microTokens());
      if (trainer.controlTokens() > 0) {
        err.printf(
            Locale.ROOT,
            "warning: %d pairs hold control tokens of the model in their texts (control_tokens:"
                + " %s)%n",
            trainer.controlTokens(),
            settings.controlTokens().name().toLowerCase(Locale.ROOT));
      }
      last = train(trainer, err);
      if (trainer.memoryRetries() > 0) {
        err.printf(
            Locale.ROOT,
            "warning: memory was out %d times; half as many tokens at once did (lower micro_tokens,"
                + " or set recompute: true)%n",
            trainer.memoryRetries());
      }
    }
    ObjectNode report = JsonLines.MAPPER.createObjectNode();
    report
        .put("updates", last.updates())
        .put("loss", last.loss())
        .put("grad_norm", last.gradientNorm())
        .put("out", settings.out().toString());
    PrintWriter out = spec.commandLine().getOut();
    out.println(
        json
            ? JsonLines.write(report)
            : String.format(
                Locale.ROOT,
                "%d updates, last loss %.4f, %s written to %s",
                last.updates(),
                last.loss(),
                settings.adapts() ? "adapter" : "model",
                settings.out()));
    out.flush();
    return 0;
  }

  private static SftTrainer.Progress train(SftTrainer trainer, PrintWriter err) throws IOException {
    Watch watch = new Watch(err);
    try {
      trainer.run(watch::show);
    } finally {
      watch.close();
    }
    return watch.last();
  }

  private void requireFree(Path out) throws IOException {
    if (!Files.exists(out) || overwrite) {
      return;
    }
    if (!Files.isDirectory(out)) {
      throw new Failure(out + " is a file", "choose another 'out'");
    }
    try (Stream<Path> entries = Files.list(out)) {
      if (entries.findAny().isPresent()) {
        throw new Failure(
            "the folder " + out + " is not empty",
            "replace the model in it with --overwrite, or choose another 'out'");
      }
    }
  }

  /** The progress bar, begun when the number of updates is known. */
  private static final class Watch implements AutoCloseable {

    private final PrintWriter err;
    private @Nullable ProgressLine line;
    private SftTrainer.@Nullable Progress last;

    Watch(PrintWriter err) {
      this.err = err;
    }

    void show(SftTrainer.Progress progress) {
      if (line == null) {
        line = ProgressLine.of("sft", 0, progress.updates(), err);
      }
      last = progress;
      line.to(
          progress.update(),
          String.format(Locale.ROOT, "loss %.4f", progress.loss()),
          String.format(Locale.ROOT, "grad norm %.3f", progress.gradientNorm()),
          String.format(Locale.ROOT, "%.0f tok/s", progress.tokens() / progress.seconds()));
    }

    SftTrainer.Progress last() {
      if (last == null) {
        throw new Failure("no update was made", "set steps to at least 1");
      }
      return last;
    }

    @Override
    public void close() {
      if (line != null) {
        line.close();
      }
    }
  }
}
