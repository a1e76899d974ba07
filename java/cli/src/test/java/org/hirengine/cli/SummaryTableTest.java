package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.hirengine.engine.runs.HeldOut;
import org.hirengine.engine.runs.Metric;
import org.hirengine.engine.runs.Summary;
import org.junit.jupiter.api.Test;

class SummaryTableTest {

  @Test
  void oneRunShowsBeforeAndAfter() {
    String text = print(run(1, 0.008, 0.17));
    assertTrue(text.contains("hir, seed 1: 80 steps, 7680 rollouts, 150000 tokens"), text);
    assertTrue(text.matches("(?s).*ILA % +0\\.8 +17\\.0 +\\+16\\.2\\R.*"), text);
  }

  @Test
  void seedsShowMeanAndSampleDeviation() {
    String text = print(run(1, 0.01, 0.10), run(2, 0.01, 0.20), run(3, 0.01, 0.30));
    assertTrue(text.contains("ILA % over 3 seeds: before 1.0 +- 0.0, after 20.0 +- 10.0"), text);
    ObjectNode json =
        new SummaryTable(List.of(run(1, 0.01, 0.10), run(2, 0.01, 0.20), run(3, 0.01, 0.30)))
            .json();
    assertEquals(0.2, json.at("/after/ila/mean").asDouble(), 1e-12);
    assertEquals(0.1, json.at("/after/ila/deviation").asDouble(), 1e-12);
    assertEquals(3, json.get("runs").size());
    assertEquals(2, json.at("/runs/1/seed").asInt());
  }

  /** A row for each value that was measured before and after, in its unit. */
  @Test
  void showsWhetherAnswersAreSound() {
    Map<Metric, Double> values =
        Map.of(
            Metric.EVAL_ILA, 0.3,
            Metric.EVAL_CLA, 0.6,
            Metric.EVAL_SOUND_ILA, 0.1,
            Metric.EVAL_TOKENS, 85.5,
            Metric.EVAL_PROBES_ANSWERED, 0.75);
    Map<Metric, Double> after = new HashMap<>(values);
    after.put(Metric.EVAL_TOKENS, 55.0);
    after.remove(Metric.EVAL_PROBES_ANSWERED);
    Summary run =
        new Summary(
            "hir", 1, 80, 7680, 150_000, 160, 28.1, new HeldOut(values), new HeldOut(after));
    String text = print(run);
    assertTrue(text.matches("(?s).*ILA %, sound answers +10\\.0 +10\\.0 +\\+0\\.0\\R.*"), text);
    assertTrue(text.matches("(?s).*tokens +85\\.5 +55\\.0 +-30\\.5\\R.*"), text);
    assertFalse(text.contains("probes"), text);
    ObjectNode json = new SummaryTable(List.of(run, run)).json();
    assertEquals(0.1, json.at("/after/sound_ila/mean").asDouble(), 1e-12);
    assertTrue(json.at("/after/probes_answered").isMissingNode());
  }

  @Test
  void aRunWithoutEvaluationHasNoTable() {
    String text = print(new Summary("hir", 1, 3, 10, 20, 6, 1.5, null, null));
    assertFalse(text.contains("before"), text);
    assertTrue(text.contains("3 steps"), text);
  }

  private static Summary run(long seed, double before, double after) {
    return new Summary(
        "hir",
        seed,
        80,
        7680,
        150_000,
        160,
        28.1,
        HeldOut.of(before, before + 0.4),
        HeldOut.of(after, after + 0.4));
  }

  private static String print(Summary... runs) {
    StringWriter text = new StringWriter();
    new SummaryTable(List.of(runs)).print(new PrintWriter(text));
    return text.toString();
  }
}
