package org.hirengine.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.hirengine.engine.runs.HeldOut;
import org.hirengine.engine.runs.Metric;
import org.hirengine.engine.runs.Summary;
import org.hirengine.replay.JsonLines;
import org.jspecify.annotations.Nullable;

/** What finished runs achieved: held-out accuracy before and after, and its spread over seeds. */
final class SummaryTable {

  private final List<Summary> runs;

  SummaryTable(List<Summary> runs) {
    this.runs = List.copyOf(runs);
  }

  /** Mean and sample standard deviation over runs, in the unit of the values. */
  record Spread(double mean, double deviation) {

    static Spread of(List<Summary> runs, ToDoubleFunction<Summary> value) {
      double mean = runs.stream().mapToDouble(value).average().orElse(Double.NaN);
      double squares =
          runs.stream().mapToDouble(run -> Math.pow(value.applyAsDouble(run) - mean, 2)).sum();
      return new Spread(mean, runs.size() < 2 ? 0 : Math.sqrt(squares / (runs.size() - 1)));
    }
  }

  /** What an evaluation measured, as the table names it, in the table's order. */
  private enum Row {
    ILA(Metric.EVAL_ILA, "ILA %", 100),
    SOUND_ILA(Metric.EVAL_SOUND_ILA, "ILA %, sound answers", 100),
    CLA(Metric.EVAL_CLA, "CLA %", 100),
    PROBES_KEPT(Metric.EVAL_PROBES_KEPT, "probes kept %", 100),
    PROBES_ANSWERED(Metric.EVAL_PROBES_ANSWERED, "probes answered %", 100),
    EMPTY(Metric.EVAL_EMPTY, "empty %", 100),
    MARKUP(Metric.EVAL_MARKUP, "markup %", 100),
    REPETITION(Metric.EVAL_REPETITION, "repetition %", 100),
    OFF_TOPIC(Metric.EVAL_OFF_TOPIC, "off topic %", 100),
    TRUNCATED(Metric.EVAL_TRUNCATED, "cut off %", 100),
    TOKENS(Metric.EVAL_TOKENS, "tokens", 1),
    DISTINCT(Metric.EVAL_DISTINCT, "distinct-3 %", 100),
    REF_LOGPROB(Metric.EVAL_REF_LOGPROB, "reference log-prob", 1);

    final Metric metric;
    final String label;
    final double scale;

    Row(Metric metric, String label, double scale) {
      this.metric = metric;
      this.label = label;
      this.scale = scale;
    }

    double of(@Nullable HeldOut measured) {
      return measured == null ? Double.NaN : scale * measured.get(metric).orElse(Double.NaN);
    }
  }

  /** The rows that every run measured, before and after. */
  private List<Row> rows() {
    return Arrays.stream(Row.values())
        .filter(
            row ->
                runs.stream()
                    .noneMatch(run -> Double.isNaN(row.of(run.before()) + row.of(run.after()))))
        .toList();
  }

  /** Prints a table. */
  void print(PrintWriter out) {
    for (Summary run : runs) {
      out.printf(
          Locale.ROOT,
          "%s, seed %d: %d steps, %d rollouts, %d tokens, %d updates, %.1f s%n",
          run.algorithm(),
          run.seed(),
          run.steps(),
          run.rollouts(),
          run.generatedTokens(),
          run.updates(),
          run.seconds());
    }
    List<Row> rows = rows();
    if (!rows.isEmpty()) {
      out.println();
      out.printf(
          Locale.ROOT, "%-22s %8s %8s %8s%n", "held-out prompts", "before", "after", "change");
      for (Summary run : runs) {
        String of = runs.size() == 1 ? "" : ", seed " + run.seed();
        for (Row row : runs.size() == 1 ? rows : List.of(Row.ILA, Row.CLA)) {
          double before = row.of(run.before());
          double after = row.of(run.after());
          out.printf(
              Locale.ROOT,
              "%-22s %8.1f %8.1f %+8.1f%n",
              row.label + of,
              before,
              after,
              after - before);
        }
      }
      if (runs.size() > 1) {
        out.println();
        rows.forEach(row -> spread(out, row));
      }
    }
    out.flush();
  }

  private void spread(PrintWriter out, Row row) {
    Spread b = Spread.of(runs, run -> row.of(run.before()));
    Spread a = Spread.of(runs, run -> row.of(run.after()));
    out.printf(
        Locale.ROOT,
        "%s over %d seeds: before %.1f +- %.1f, after %.1f +- %.1f%n",
        row.label,
        runs.size(),
        b.mean,
        b.deviation,
        a.mean,
        a.deviation);
  }

  /** The same as one JSON object: each run's summary, and mean and deviation of the accuracies. */
  ObjectNode json() {
    ObjectNode report = JsonLines.MAPPER.createObjectNode();
    ArrayNode list = report.putArray("runs");
    try {
      for (Summary run : runs) {
        list.add(JsonLines.MAPPER.readTree(run.toJson()));
      }
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
    List<Row> rows = rows();
    if (!rows.isEmpty()) {
      ObjectNode before = report.putObject("before");
      ObjectNode after = report.putObject("after");
      for (Row row : rows) {
        String name = row.metric.key().substring(row.metric.key().indexOf('.') + 1);
        put(before, name, run -> row.of(run.before()) / row.scale);
        put(after, name, run -> row.of(run.after()) / row.scale);
      }
    }
    return report;
  }

  private void put(ObjectNode node, String name, ToDoubleFunction<Summary> value) {
    Spread spread = Spread.of(runs, value);
    node.putObject(name).put("mean", spread.mean).put("deviation", spread.deviation);
  }
}
