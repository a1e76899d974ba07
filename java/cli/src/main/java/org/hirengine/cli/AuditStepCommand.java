package org.hirengine.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.diagnose.StepAudit;
import org.hirengine.engine.hub.Hub;
import org.hirengine.engine.hub.Location;
import org.hirengine.engine.runs.JsonNumbers;
import org.hirengine.engine.runs.Metric;
import org.hirengine.engine.runs.MetricsLog;
import org.hirengine.engine.runs.StepMetrics;
import org.hirengine.replay.JsonLines;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code hir audit-step}: repeats the update of a dumped step, row by row. */
@Command(
    name = "audit-step",
    mixinStandardHelpOptions = true,
    description = {
      "Repeats the update of a dumped training step and shows what each row contributed.",
      "",
      "Computes loss and gradient norm again, from the rows in the dump and the weights at the"
          + " start of the step: those of the newest checkpoint before it, or of the initial model,"
          + " updated from the dumps in between. Prints them beside the values that the run"
          + " logged, then the rows with the largest gradients (those without a finite one first)."
          + " Writes nothing."
    },
    footer = {
      "",
      "Examples:",
      "  hir audit-step runs/hir/rollouts/step-12.jsonl",
      "  hir audit-step runs/hir/rollouts/step-12.jsonl dtype=float32 --rows 30"
    })
final class AuditStepCommand implements Callable<Integer> {

  @Parameters(index = "0", paramLabel = "DUMP", description = "RUN_DIR/rollouts/step-N.jsonl.")
  private Path dump;

  @Parameters(
      index = "1..*",
      paramLabel = "key=value",
      description = "Settings that replace those of RUN_DIR/config.yaml.")
  private List<String> overrides = List.of();

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "Weights to start from instead of the run's; the optimizer starts anew.")
  private @Nullable Location model;

  @Option(
      names = "--rows",
      paramLabel = "N",
      defaultValue = "10",
      description = "Rows to show (default: ${DEFAULT-VALUE}).")
  private int rows;

  @Option(names = "--json", description = "Print everything as JSON, including every row.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Path run = dump.toAbsolutePath().resolve("../..").normalize();
    Path settings = run.resolve("config.yaml");
    if (!Files.exists(settings)) {
      throw new Failure(
          dump + " is not in a run folder: there is no " + settings,
          "give RUN_DIR/rollouts/step-N.jsonl");
    }
    PrintWriter err = spec.commandLine().getErr();
    Hub hub = Downloads.hub(err);
    TrainConfig config = TrainConfig.load(settings, overrides).locate(hub::find);
    Path weights = model == null ? null : Downloads.model(model, err);
    StepAudit.Result result = StepAudit.run(config, dump, weights);
    StepMetrics logged =
        MetricsLog.read(run.resolve("metrics.jsonl")).stream()
            .filter(metrics -> metrics.step() == result.step())
            .findFirst()
            .orElseGet(() -> new StepMetrics(result.step()));
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(JsonLines.write(json(result, logged)));
    } else {
      print(out, result, logged);
    }
    out.flush();
    return 0;
  }

  private void print(PrintWriter out, StepAudit.Result result, StepMetrics logged) {
    out.printf(
        "step %d from %s%s: %d updates, %d rows%n",
        result.step(),
        result.weights(),
        result.carried() == 0 ? "" : ", carried over " + result.carried() + " steps",
        result.updates(),
        result.rows().size());
    if (!result.problem().isEmpty()) {
      out.println("an update was skipped: " + result.problem());
    }
    out.println();
    out.printf("%-14s %14s %14s%n", "", "now", "logged");
    row(out, "loss", result.loss(), logged.get(Metric.LOSS));
    row(out, "gradient norm", result.gradientNorm(), logged.get(Metric.GRAD_NORM));
    row(out, "clip fraction", result.clipFraction(), logged.get(Metric.CLIP_FRACTION));
    row(out, "  of replays", result.replayClipFraction(), logged.get(Metric.REPLAY_CLIP_FRACTION));
    if (rows > 0) {
      out.println();
      out.printf(
          "%5s %-16s %-13s %6s %7s %12s %12s%n",
          "row", "instruction", "kind", "tokens", "reward", "gradient", "max |d logp|");
      for (StepAudit.Row row : result.rows().subList(0, Math.min(rows, result.rows().size()))) {
        var replay = row.record().replay();
        out.printf(
            Locale.ROOT,
            "%5d %-16s %-13s %6d %7.3g %12.4g %12.4g%n",
            row.record().index(),
            row.record().promptId(),
            replay == null ? "original" : "replay of " + replay.of(),
            row.record().responseIds().length,
            row.record().reward(),
            row.gradientNorm(),
            row.maxGap());
      }
    }
  }

  private static void row(PrintWriter out, String name, double now, OptionalDouble logged) {
    out.printf(
        Locale.ROOT,
        "%-14s %14.8g %14s%n",
        name,
        now,
        logged.isEmpty() ? "-" : String.format(Locale.ROOT, "%.8g", logged.getAsDouble()));
  }

  private static ObjectNode json(StepAudit.Result result, StepMetrics logged) {
    ObjectNode report = JsonLines.MAPPER.createObjectNode();
    report.put("step", result.step());
    report.put("weights", result.weights().toString());
    report.put("carried", result.carried());
    report.put("updates", result.updates());
    report.set("loss", JsonNumbers.node(result.loss()));
    report.set("grad_norm", JsonNumbers.node(result.gradientNorm()));
    report.set("clip_fraction", JsonNumbers.node(result.clipFraction()));
    report.set("replay_clip_fraction", JsonNumbers.node(result.replayClipFraction()));
    report.put("problem", result.problem());
    ObjectNode before = report.putObject("logged");
    logged.get(Metric.LOSS).ifPresent(loss -> before.set("loss", JsonNumbers.node(loss)));
    logged.get(Metric.GRAD_NORM).ifPresent(norm -> before.set("grad_norm", JsonNumbers.node(norm)));
    ArrayNode rows = report.putArray("rows");
    for (StepAudit.Row row : result.rows()) {
      ObjectNode node = rows.addObject();
      node.put("index", row.record().index());
      node.put("prompt_id", row.record().promptId());
      node.set("grad_norm", JsonNumbers.node(row.gradientNorm()));
      node.set("logprob_gap", JsonNumbers.node(row.meanGap()));
      node.set("logprob_gap_max", JsonNumbers.node(row.maxGap()));
    }
    return report;
  }
}
