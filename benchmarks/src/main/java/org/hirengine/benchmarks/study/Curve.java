package org.hirengine.benchmarks.study;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Held-out accuracy of one run against its cost so far. */
record Curve(StudyPlan.Cell cell, List<Point> points) {

  /**
   * @param rollouts sampled responses so far, without those of evaluation
   * @param tokens their tokens
   * @param rows rows trained on, replays and repetitions included
   * @param updates optimizer updates
   * @param seconds of processor time for rollout, verification, scoring and update, which is the
   *     time of a run of one thread on an idle core; evaluation is not in it
   * @param ila held-out requests with all constraints satisfied, a fraction
   * @param cla mean fraction of satisfied constraints
   */
  record Point(
      long step,
      long rollouts,
      long tokens,
      long rows,
      long updates,
      double seconds,
      double ila,
      double cla) {}

  private static final ObjectMapper JSON = new ObjectMapper();

  /** A run is complete when its summary holds the accuracy after the last step. */
  static boolean isWhole(Path run) {
    Path summary = run.resolve("summary.json");
    try {
      return Files.isRegularFile(summary)
          && JSON.readTree(summary.toFile()).path("after").isObject();
    } catch (IOException e) {
      return false; // cut off by a crash
    }
  }

  /**
   * Reads a complete run.
   *
   * @throws IOException if a file is missing or invalid
   */
  static Curve read(StudyPlan.Cell cell, Path run) throws IOException {
    JsonNode before = JSON.readTree(run.resolve("summary.json").toFile()).get("before");
    List<Point> points = new ArrayList<>();
    points.add(
        new Point(0, 0, 0, 0, 0, 0, before.get("ila").asDouble(), before.get("cla").asDouble()));
    long rows = 0;
    double seconds = 0;
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      JsonNode step = JSON.readTree(line);
      rows += step.get("trained_rows").asLong();
      seconds += step.get("cpu_seconds").asDouble();
      JsonNode eval = step.get("eval");
      if (eval != null) {
        points.add(
            new Point(
                step.get("step").asLong(),
                step.get("rollouts").asLong(),
                step.get("generated_tokens").asLong(),
                rows,
                step.get("updates").asLong(),
                seconds,
                eval.get("ila").asDouble(),
                eval.get("cla").asDouble()));
      }
    }
    return new Curve(cell, points);
  }

  Point last() {
    return points.get(points.size() - 1);
  }
}
