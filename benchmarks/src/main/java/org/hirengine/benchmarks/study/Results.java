package org.hirengine.benchmarks.study;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/** The complete runs of the study, as curves.csv and the tables of results.md. */
final class Results {

  /** The strongest plain baseline: the study asks how soon others reach its final accuracy. */
  private static final String YARDSTICK = "rl-cla";

  private final StudyPlan plan;
  private final List<Curve> curves = new ArrayList<>();

  /**
   * @throws IOException if a complete run cannot be read
   */
  Results(StudyPlan plan, Map<String, Double> rates) throws IOException {
    this.plan = plan;
    for (StudyPlan.Cell cell : plan.studyCells(rates)) {
      Path run = cell.folder(plan.out());
      if (Curve.isWhole(run)) {
        curves.add(Curve.read(cell, run));
      }
    }
  }

  /**
   * A setting's curves by method, in the plan's order; methods without a complete run are absent.
   *
   * @param table which of the plan's tables; one that is not the main one begins with the method
   *     that its methods change
   */
  Map<String, List<Curve>> of(String setting, String table) {
    Set<String> methods = new LinkedHashSet<>();
    plan.methods()
        .forEach(
            (name, method) -> {
              if (method.tableName().equals(table)) {
                if (plan.rollouts(name) == plan.rollouts()) {
                  methods.add(plan.rateOf(name));
                }
                methods.add(name);
              }
            });
    Map<String, List<Curve>> byMethod = new LinkedHashMap<>();
    for (String method : methods) {
      List<Curve> own =
          curves.stream()
              .filter(c -> c.cell().setting().equals(setting) && c.cell().method().equals(method))
              .toList();
      if (!own.isEmpty()) {
        byMethod.put(method, own);
      }
    }
    boolean itsOwn =
        byMethod.keySet().stream()
            .anyMatch(method -> plan.methods().get(method).tableName().equals(table));
    return itsOwn ? byMethod : Map.of();
  }

  /** One value over the seeds at each evaluation. */
  static List<Interval> over(List<Curve> runs, ToDoubleFunction<Curve.Point> value) {
    int length = runs.stream().mapToInt(c -> c.points().size()).min().orElse(0);
    List<Interval> intervals = new ArrayList<>();
    for (int i = 0; i < length; i++) {
      int at = i;
      intervals.add(
          Interval.of(
              runs.stream().mapToDouble(c -> value.applyAsDouble(c.points().get(at))).toArray()));
    }
    return intervals;
  }

  /** Where the mean curve first reaches a level, by linear interpolation between evaluations. */
  static OptionalDouble reaches(List<Interval> x, List<Interval> y, double height) {
    for (int i = 0; i < y.size(); i++) {
      if (y.get(i).mean() >= height) {
        if (i == 0) {
          return OptionalDouble.of(x.get(0).mean());
        }
        double part = (height - y.get(i - 1).mean()) / (y.get(i).mean() - y.get(i - 1).mean());
        return OptionalDouble.of(
            x.get(i - 1).mean() + part * (x.get(i).mean() - x.get(i - 1).mean()));
      }
    }
    return OptionalDouble.empty();
  }

  /** How far one method's ILA is ahead of another's, seed by seed, each at its own evaluations. */
  static Interval ahead(List<Curve> runs, int at, List<Curve> others, int othersAt) {
    List<Double> differences = new ArrayList<>();
    for (Curve run : runs) {
      for (Curve other : others) {
        if (run.cell().seed() == other.cell().seed()) {
          differences.add(run.points().get(at).ila() - other.points().get(othersAt).ila());
        }
      }
    }
    return Interval.of(differences.stream().mapToDouble(Double::doubleValue).toArray());
  }

  void writeCsv(Path file) throws IOException {
    List<String> lines = new ArrayList<>();
    lines.add("setting,method,lr,seed,step,rollouts,tokens,rows,updates,seconds,ila,cla");
    for (Curve curve : curves) {
      StudyPlan.Cell c = curve.cell();
      for (Curve.Point p : curve.points()) {
        lines.add(
            String.format(
                Locale.ROOT,
                "%s,%s,%s,%d,%d,%d,%d,%d,%d,%.3f,%.6f,%.6f",
                c.setting(),
                c.method(),
                c.learningRate(),
                c.seed(),
                p.step(),
                p.rollouts(),
                p.tokens(),
                p.rows(),
                p.updates(),
                p.seconds(),
                p.ila(),
                p.cla()));
      }
    }
    Files.write(file, lines);
  }

  /** Held-out ILA and CLA, and what it took to reach the baseline's last ILA. */
  void writeTables(Path file) throws IOException {
    StringBuilder text = new StringBuilder();
    for (String setting : plan.settings().keySet()) {
      for (String table : plan.tables()) {
        Map<String, List<Curve>> methods = of(setting, table);
        if (!methods.isEmpty()) {
          text.append("### ").append(setting).append(table.isEmpty() ? "" : ", " + table);
          text.append("\n\n");
          table(methods, text);
        }
      }
    }
    Files.writeString(file, text);
  }

  private static void table(Map<String, List<Curve>> methods, StringBuilder text) {
    int last =
        methods.values().stream()
            .mapToInt(runs -> over(runs, Curve.Point::ila).size() - 1)
            .min()
            .orElse(0);
    List<Integer> columns = List.of(last / 4, last / 2, last * 3 / 4, last);
    List<Curve> first = methods.values().iterator().next();
    text.append("| ILA % | lr | seeds |");
    for (int at : columns) {
      text.append(
          String.format(
              Locale.ROOT, " %,.0f |", over(first, Curve.Point::rollouts).get(at).mean()));
    }
    String yardstick =
        methods.containsKey(YARDSTICK) ? YARDSTICK : methods.keySet().iterator().next();
    List<Curve> against = methods.get(yardstick);
    double height = over(against, Curve.Point::ila).get(last).mean();
    text.append(
        String.format(
            " CLA %% at the end | rows | s | rollouts to %1$s's end | rows | s | end against %1$s"
                + " | half way against its end |\n",
            yardstick));
    text.append("|---|---|---|").append("---|".repeat(columns.size())).append("---|".repeat(8));
    text.append('\n');
    methods.forEach(
        (method, runs) -> {
          List<Interval> ila = over(runs, Curve.Point::ila);
          text.append(
              String.format(
                  Locale.ROOT,
                  "| %s | %s | %d |",
                  method,
                  runs.get(0).cell().learningRate(),
                  runs.size()));
          columns.forEach(at -> text.append(' ').append(ila.get(at).percent()).append(" |"));
          text.append(' ').append(over(runs, Curve.Point::cla).get(last).percent()).append(" |");
          for (ToDoubleFunction<Curve.Point> cost :
              List.<ToDoubleFunction<Curve.Point>>of(Curve.Point::rows, Curve.Point::seconds)) {
            text.append(String.format(Locale.ROOT, " %,.0f |", over(runs, cost).get(last).mean()));
          }
          for (ToDoubleFunction<Curve.Point> cost :
              List.<ToDoubleFunction<Curve.Point>>of(
                  Curve.Point::rollouts, Curve.Point::rows, Curve.Point::seconds)) {
            OptionalDouble x = reaches(over(runs, cost), ila, height);
            text.append(
                x.isPresent() ? String.format(Locale.ROOT, " %,.0f |", x.getAsDouble()) : " - |");
          }
          for (int at : List.of(last, last / 2)) {
            boolean itself = method.equals(yardstick) && at == last;
            text.append(itself ? " - |" : " " + ahead(runs, at, against, last).percent() + " |");
          }
          text.append('\n');
        });
    text.append('\n');
  }
}
