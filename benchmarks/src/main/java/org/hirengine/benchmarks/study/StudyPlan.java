package org.hirengine.benchmarks.study;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What to run, from study.yaml.
 *
 * @param out folder of all runs and results
 * @param rollouts sampled responses of a run
 * @param evaluateEvery steps between two evaluations on held-out requests
 * @param seeds training seeds of the study, not used for tuning
 */
record StudyPlan(
    @JsonProperty(required = true) Path out,
    long rollouts,
    int evaluateEvery,
    @JsonProperty(required = true) List<Long> seeds,
    @JsonProperty(required = true) Tuning tuning,
    @JsonProperty(required = true) Map<String, Setting> settings,
    @JsonProperty(required = true) Requests requests,
    @JsonProperty(required = true) Map<String, Method> methods) {

  /** The search for a method's learning rate, on separate seeds and requests. */
  record Tuning(
      @JsonProperty(required = true) List<Long> seeds,
      @JsonProperty(required = true) List<Double> learningRates) {}

  /**
   * @param config run configuration that all methods start from
   * @param requests options of {@code hir demo-data} that make its requests
   * @param ratesOf setting whose learning rates it takes; null searches its own
   */
  record Setting(
      @JsonProperty(required = true) Path config,
      List<String> requests,
      @Nullable String ratesOf) {}

  /** Seeds of the requests, and how many there are. */
  record Requests(long study, long tuning, int heldOut, int train) {}

  /**
   * @param set settings that make the method, {@code key=value}; <code>{plan}</code> is the plan's
   *     folder
   * @param rateOf method whose learning rate it takes; null searches its own
   * @param rate learning rate that it takes without a search; null searches
   * @param settings settings it runs in; null is all
   * @param seeds how many of the study's seeds it runs, the first ones; null is all
   * @param rollouts sampled responses of a run; null is the study's
   * @param table name of its table and plots; null is the main one
   */
  record Method(
      @JsonProperty(required = true) List<String> set,
      @Nullable String rateOf,
      @Nullable Double rate,
      @Nullable List<String> settings,
      @Nullable Integer seeds,
      @Nullable Long rollouts,
      @Nullable String table) {

    /** With the plan's folder where settings name it. */
    private Method in(Path folder) {
      List<String> resolved =
          set.stream().map(s -> s.replace("{plan}", folder.toString())).toList();
      return new Method(resolved, rateOf, rate, settings, seeds, rollouts, table);
    }

    String tableName() {
      return table == null ? "" : table;
    }
  }

  /**
   * @throws IOException where the file cannot be read or does not say what a plan needs
   */
  static StudyPlan read(Path file) throws IOException {
    YAMLMapper yaml =
        YAMLMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();
    StudyPlan plan = yaml.readValue(file.toFile(), StudyPlan.class);
    Path folder = file.toAbsolutePath().normalize().getParent();
    Map<String, Setting> settings = new LinkedHashMap<>();
    plan.settings.forEach(
        (name, s) ->
            settings.put(
                name, new Setting(folder.resolve(s.config).normalize(), s.requests, s.ratesOf)));
    settings.forEach(
        (name, setting) -> {
          if (setting.ratesOf != null && !settings.containsKey(setting.ratesOf)) {
            throw new IllegalArgumentException(
                file + ": settings." + name + ".rates_of: there is no setting " + setting.ratesOf);
          }
        });
    plan.methods.forEach(
        (name, method) -> {
          if (method.rateOf != null && !plan.methods.containsKey(method.rateOf)) {
            throw new IllegalArgumentException(
                file + ": methods." + name + ".rate_of: there is no method " + method.rateOf);
          }
        });
    Map<String, Method> methods = new LinkedHashMap<>();
    plan.methods.forEach((name, method) -> methods.put(name, method.in(folder)));
    return new StudyPlan(
        folder.resolve(plan.out).normalize(),
        plan.rollouts,
        plan.evaluateEvery,
        plan.seeds,
        plan.tuning,
        settings,
        plan.requests,
        methods);
  }

  boolean runsIn(String method, String setting) {
    List<String> where = methods.get(method).settings;
    return where == null || where.contains(setting);
  }

  /** The method whose learning rate a method takes: itself, or what it changes. */
  String rateOf(String method) {
    String other = methods.get(method).rateOf;
    return other == null ? method : other;
  }

  /** The key, among the searched learning rates, of the one that a method takes in a setting. */
  String rateKey(String setting, String method) {
    String other = settings.get(setting).ratesOf;
    return (other == null ? setting : other) + "/" + rateOf(method);
  }

  /** Sampled responses of a method's run. */
  long rollouts(String method) {
    Long own = methods.get(method).rollouts;
    return own == null ? rollouts : own;
  }

  /** Steps between two evaluations: runs of all lengths are evaluated equally often. */
  int evaluateEvery(String method) {
    return Math.toIntExact(evaluateEvery * rollouts(method) / rollouts);
  }

  /** Names of the tables, the main one ("") first. */
  List<String> tables() {
    return Stream.concat(Stream.of(""), methods.values().stream().map(Method::tableName))
        .distinct()
        .toList();
  }

  /** One run of the tuning grid or the study. */
  record Cell(String setting, String method, double learningRate, long seed, boolean tuning) {

    Path folder(Path out) {
      return tuning
          ? out.resolve(Path.of("tuning", setting, method, "lr-" + learningRate, "seed-" + seed))
          : out.resolve(Path.of("runs", setting, method, "seed-" + seed));
    }
  }

  /** Every run of the search for learning rates. */
  List<Cell> tuningCells() {
    List<Cell> cells = new ArrayList<>();
    for (String setting : settings.keySet()) {
      for (String method : methods.keySet()) {
        boolean searches = methods.get(method).rate == null;
        if (searches
            && runsIn(method, setting)
            && rateKey(setting, method).equals(setting + "/" + method)) {
          for (double rate : tuning.learningRates) {
            tuning.seeds.forEach(seed -> cells.add(new Cell(setting, method, rate, seed, true)));
          }
        }
      }
    }
    return cells;
  }

  /**
   * Every run of the study.
   *
   * @param rates learning rate by setting and method, as {@code setting/method}; a method without
   *     one, whose search is not finished, has no runs yet
   */
  List<Cell> studyCells(Map<String, Double> rates) {
    List<Cell> cells = new ArrayList<>();
    for (int i = 0; i < seeds.size(); i++) { // cut short, it has all methods at fewer seeds
      for (String setting : settings.keySet()) {
        for (String method : methods.keySet()) {
          Integer most = methods.get(method).seeds;
          if (runsIn(method, setting) && (most == null || i < most)) {
            Double own = methods.get(method).rate;
            Double rate = own == null ? rates.get(rateKey(setting, method)) : own;
            if (rate != null) {
              cells.add(new Cell(setting, method, rate, seeds.get(i), false));
            }
          }
        }
      }
    }
    return cells;
  }
}
