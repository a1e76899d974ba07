package org.hirengine.benchmarks.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;
import org.hirengine.cli.Hir;
import org.hirengine.engine.config.TrainConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StudyTest {

  /** The plan in the repository. */
  private static final Path PLAN =
      Path.of(System.getProperty("hir.root"), "benchmarks", "sample-efficiency", "study.yaml");

  private static final Pattern WORD = Pattern.compile("[ .]+");

  @TempDir private Path folder;

  @Test
  void everyMethodOfThePlanIsARunThatCanBegin() throws IOException {
    StudyPlan plan = StudyPlan.read(PLAN);
    for (StudyPlan.Setting setting : plan.settings().values()) {
      List<String> requests = new ArrayList<>(List.of("demo-data", "--out", folder.toString()));
      requests.addAll(setting.requests());
      requests.addAll(List.of("--train", "2", "--eval", "3"));
      assertEquals(0, Hir.commandLine().execute(requests.toArray(String[]::new)));
      for (StudyPlan.Method method : plan.methods().values()) {
        List<String> settings = new ArrayList<>(method.set());
        settings.add("out=" + folder);
        TrainConfig config = TrainConfig.load(setting.config(), settings);
        assertEquals(96, config.train().prompts() * config.samplesPerPrompt());
      }
    }
  }

  /** Another order of words, but no word that the demo's policy has no token for. */
  @Test
  void theParaphrasesUseTheWordsOfTheDemo() throws IOException {
    Path demo = Path.of(System.getProperty("hir.root"), "data", "demo", "sentences.json");
    Map<String, String> own = templates(demo);
    Map<String, String> other = templates(PLAN.resolveSibling("paraphrased.json"));
    assertEquals(own.keySet(), other.keySet());
    Set<String> words =
        own.values().stream().flatMap(t -> WORD.splitAsStream(t)).collect(Collectors.toSet());
    other.forEach(
        (id, template) -> {
          assertFalse(template.equals(own.get(id)), id);
          WORD.splitAsStream(template).forEach(word -> assertTrue(words.contains(word), word));
        });
  }

  private static Map<String, String> templates(Path file) throws IOException {
    return new ObjectMapper().readValue(file.toFile(), new TypeReference<>() {});
  }

  @Test
  void theGridHoldsEachRunOnce() throws IOException {
    StudyPlan plan = StudyPlan.read(PLAN);
    Map<String, Double> rates = new LinkedHashMap<>();
    for (StudyPlan.Cell cell : plan.tuningCells()) {
      rates.put(cell.setting() + "/" + cell.method(), 1e-3);
    }
    List<StudyPlan.Cell> cells = plan.studyCells(rates);
    Set<Path> folders = cells.stream().map(c -> c.folder(plan.out())).collect(Collectors.toSet());
    assertEquals(cells.size(), folders.size());
    assertTrue(plan.tuning().seeds().stream().noneMatch(plan.seeds()::contains));
    assertFalse(plan.requests().study() == plan.requests().tuning());
  }

  @Test
  void aMistypedPlanIsRefused() throws IOException {
    String plan = Files.readString(PLAN);
    Path file = folder.resolve("study.yaml");
    Files.writeString(file, plan.replace("rate_of: hir,", "rate_of: hirr,"));
    assertThrows(IllegalArgumentException.class, () -> StudyPlan.read(file));
    Files.writeString(file, plan.replace("rates_of: med", "rates_of: medium"));
    assertThrows(IllegalArgumentException.class, () -> StudyPlan.read(file));
    Files.writeString(file, plan.replace("learning_rates:", "learning_rate:"));
    assertThrows(IOException.class, () -> StudyPlan.read(file));
    Files.writeString(file, plan.replace("rollouts: 7680\n", ""));
    assertThrows(IOException.class, () -> StudyPlan.read(file));
  }

  @Test
  void intervalsAreStudents() {
    Interval five = Interval.of(0.10, 0.12, 0.14, 0.16, 0.18);
    assertEquals(0.14, five.mean(), 1e-12);
    // sd 0.0316228, over the root of 5, times 2.776
    assertEquals(0.039259, five.half(), 1e-5);
    assertEquals("14.0 ± 3.9", five.percent());
    assertEquals("14.0", Interval.of(0.14).percent());
  }

  @Test
  void aHeightIsReachedBetweenEvaluations() {
    List<Interval> x = List.of(Interval.of(0), Interval.of(100), Interval.of(200));
    List<Interval> y = List.of(Interval.of(0.1), Interval.of(0.2), Interval.of(0.4));
    assertEquals(150, Results.reaches(x, y, 0.3).orElseThrow(), 1e-9);
    assertEquals(0, Results.reaches(x, y, 0.05).orElseThrow(), 1e-9);
    assertTrue(Results.reaches(x, y, 0.5).isEmpty());
    assertTrue(Results.reaches(x, y, Double.NaN).isEmpty());
  }

  @Test
  void wholeRunsBecomeTablesAndPlots() throws IOException {
    Path file = folder.resolve("study.yaml");
    Files.writeString(
        file,
        Files.readString(PLAN)
            .replace("../../runs/sample-efficiency", "out")
            .replaceAll("seeds: \\[101.*]", "seeds: [1, 2]"));
    StudyPlan plan = StudyPlan.read(file);
    Map<String, Double> rates = new LinkedHashMap<>();
    plan.tuningCells().forEach(c -> rates.put(c.setting() + "/" + c.method(), 5e-4));
    for (StudyPlan.Cell cell : plan.studyCells(rates)) {
      if (cell.setting().equals("hard") && cell.method().matches("hir|rl-cla")) {
        writeRun(cell.folder(plan.out()), cell.method().equals("hir") ? 0.3 : 0.2, cell.seed());
      }
    }
    Results results = new Results(plan, rates);
    assertEquals(Set.of("hir", "rl-cla"), results.of("hard", "").keySet());
    assertTrue(results.of("med", "").isEmpty());
    Curve first = results.of("hard", "").get("hir").get(0);
    assertEquals(new Curve.Point(2, 192, 3000, 256, 4, 1.75, 0.3 + 0.01, 0.75), first.last());

    results.writeTables(folder.resolve("results.md"));
    String tables = Files.readString(folder.resolve("results.md"));
    assertTrue(tables.contains("| hir | 5.0E-4 | 2 |"), tables);
    // 31 and 32 against 21 and 22 at the end; half way both have 10
    assertTrue(tables.contains("| 10.0 ± 0.0 | -11.5 ± 6.4 |"), tables);
    results.writeCsv(folder.resolve("curves.csv"));
    assertEquals(1 + 4 * 3, Files.readAllLines(folder.resolve("curves.csv")).size());
    Plots.writeFigure(results, plan, folder.resolve("figure.png"));
    assertEquals(560, ImageIO.read(folder.resolve("figure.png").toFile()).getWidth());
    Plots.write(results, plan, folder.resolve("plots"));
    assertTrue(Files.readString(folder.resolve("plots/hard-ila-rollouts.svg")).contains("<svg"));
  }

  private static void writeRun(Path run, double ila, long seed) throws IOException {
    Files.createDirectories(run);
    String summary = "{\"before\": {\"ila\": 0.004, \"cla\": 0.4}, \"after\": null}";
    Files.writeString(run.resolve("summary.json"), summary);
    assertFalse(Curve.isWhole(run), "stopped before its end");
    Files.writeString(run.resolve("summary.json"), summary.replace("null", "{}"));
    assertTrue(Curve.isWhole(run));
    StringBuilder lines = new StringBuilder();
    for (int step = 1; step <= 2; step++) {
      lines.append(
          """
          {"step": %d, "rollouts": %d, "generated_tokens": %d, "trained_rows": 128, "updates": %d, \
          "cpu_seconds": 0.875, "eval": {"ila": %s, "cla": 0.75}}
          """
              .formatted(
                  step, 96 * step, 1500 * step, 2 * step, step == 2 ? ila + 0.01 * seed : 0.1));
    }
    Files.writeString(run.resolve("metrics.jsonl"), lines);
  }
}
