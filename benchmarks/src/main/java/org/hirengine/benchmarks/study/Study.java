package org.hirengine.benchmarks.study;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs the study of sample efficiency and writes its results. */
@Command(
    name = "study",
    mixinStandardHelpOptions = true,
    description = {
      "Runs the study of sample efficiency: first the search for learning rates, then every method"
          + " in every setting over the seeds. Complete runs are kept, so an interrupted study"
          + " continues where it stopped.",
      "",
      "Writes to the plan's 'out': rates.json, curves.csv (every evaluation), results.md (tables),"
          + " figure.png (ILA against rollouts), plots/ (SVG), and the runs themselves."
    },
    footer = {
      "",
      "Examples:",
      "  benchmarks/sample-efficiency/run",
      "  benchmarks/sample-efficiency/run --jobs 8 my-study.yaml",
      "  benchmarks/sample-efficiency/run --only-results"
    })
public final class Study implements Callable<Integer> {

  /**
   * Below this ILA a learning rate is judged by CLA, since hardly any request is satisfied fully.
   */
  private static final double FEW = 0.02;

  @Parameters(paramLabel = "PLAN.yaml", arity = "1", description = "What to run.")
  private Path file;

  @Option(names = "--jobs", defaultValue = "1", description = "Runs at a time, one core each.")
  private int jobs;

  @Option(
      names = "--only-results",
      description = "Run nothing; make tables and plots of the complete runs.")
  private boolean onlyResults;

  public static void main(String[] arguments) {
    CommandLine study = new CommandLine(new Study());
    study.setExecutionExceptionHandler(
        (e, command, parsed) -> {
          Throwable cause = e instanceof ExecutionException ? e.getCause() : e;
          command.getErr().println(command.getColorScheme().errorText(cause.getMessage()));
          return 1;
        });
    System.exit(study.execute(arguments));
  }

  @Override
  public Integer call() throws Exception {
    StudyPlan plan = StudyPlan.read(file);
    Files.createDirectories(plan.out());
    if (!onlyResults) {
      requests(plan);
      train("tuning", plan, plan.tuningCells());
    }
    Map<String, Double> rates = rates(plan);
    new ObjectMapper()
        .writerWithDefaultPrettyPrinter()
        .writeValue(plan.out().resolve("rates.json").toFile(), rates);
    if (!onlyResults) {
      train("study", plan, plan.studyCells(rates));
    }
    Results results = new Results(plan, rates);
    results.writeCsv(plan.out().resolve("curves.csv"));
    results.writeTables(plan.out().resolve("results.md"));
    Plots.write(results, plan, plan.out().resolve("plots"));
    Plots.writeFigure(results, plan, plan.out().resolve("figure.png"));
    System.out.print(Files.readString(plan.out().resolve("results.md")));
    return 0;
  }

  private static Path requests(StudyPlan plan, String setting, boolean tuning) {
    return plan.out().resolve(Path.of("requests", tuning ? "tuning" : "study", setting));
  }

  private static void requests(StudyPlan plan) throws IOException, InterruptedException {
    for (Map.Entry<String, StudyPlan.Setting> setting : plan.settings().entrySet()) {
      for (boolean tuning : new boolean[] {true, false}) {
        RunProcess.makeRequests(
            requests(plan, setting.getKey(), tuning),
            setting.getValue(),
            plan.requests(),
            tuning ? plan.requests().tuning() : plan.requests().study());
      }
    }
  }

  /**
   * Trains the cells that are not complete yet, some at a time; the first failure ends the study.
   */
  private void train(String name, StudyPlan plan, List<StudyPlan.Cell> cells)
      throws InterruptedException, ExecutionException {
    List<StudyPlan.Cell> missing =
        cells.stream().filter(cell -> !Curve.isWhole(cell.folder(plan.out()))).toList();
    ExecutorService workers = Executors.newFixedThreadPool(jobs);
    try (ProgressBar bar = new ProgressBar(name, missing.size())) {
      List<Future<?>> runs = new ArrayList<>();
      for (StudyPlan.Cell cell : missing) {
        runs.add(
            workers.submit(
                () -> {
                  RunProcess.train(plan, cell, requests(plan, cell.setting(), cell.tuning()));
                  bar.step();
                  return null;
                }));
      }
      for (Future<?> run : runs) {
        run.get();
      }
    } finally {
      workers.shutdownNow();
    }
  }

  /** The best learning rate of each method in each setting, by the last two evaluations. */
  private static Map<String, Double> rates(StudyPlan plan) throws IOException {
    Map<String, Map<Double, List<Curve>>> searched = new LinkedHashMap<>();
    for (StudyPlan.Cell cell : plan.tuningCells()) {
      Path run = cell.folder(plan.out());
      if (Curve.isWhole(run)) {
        searched
            .computeIfAbsent(cell.setting() + "/" + cell.method(), k -> new LinkedHashMap<>())
            .computeIfAbsent(cell.learningRate(), k -> new ArrayList<>())
            .add(Curve.read(cell, run));
      }
    }
    Map<String, Double> rates = new LinkedHashMap<>();
    searched.forEach(
        (method, byRate) -> {
          double best =
              byRate.values().stream().mapToDouble(runs -> late(runs, false)).max().orElse(0);
          rates.put(
              method,
              byRate.entrySet().stream()
                  .max(Comparator.comparingDouble(e -> late(e.getValue(), best < FEW)))
                  .orElseThrow()
                  .getKey());
        });
    return rates;
  }

  private static double late(List<Curve> runs, boolean cla) {
    return runs.stream()
        .flatMap(
            c -> c.points().subList(Math.max(0, c.points().size() - 2), c.points().size()).stream())
        .mapToDouble(p -> cla ? p.cla() : p.ila())
        .average()
        .orElse(0);
  }
}
