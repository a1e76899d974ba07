package org.hirengine.engine.runs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SummaryTest {

  @TempDir Path temp;

  @Test
  void hasTheContractsFields() throws IOException {
    Summary summary =
        new Summary(
            "hir-achieve",
            3,
            80,
            7680,
            153_600,
            160,
            21.5,
            HeldOut.of(0.0078125, 0.44),
            HeldOut.of(0.25, 0.8));
    assertEquals(
        "{\"algorithm\":\"hir-achieve\",\"seed\":3,\"steps\":80,\"rollouts\":7680,"
            + "\"generated_tokens\":153600,\"updates\":160,\"seconds\":21.5,"
            + "\"before\":{\"ila\":0.0078125,\"cla\":0.44},\"after\":{\"ila\":0.25,\"cla\":0.8}}",
        new ObjectMapper().readTree(summary.toJson()).toString());
    Path file = Files.writeString(temp.resolve("summary.json"), summary.toJson());
    assertEquals(summary, Summary.read(file));
  }

  /** Runs of other versions may have fewer or more values. */
  @Test
  void anEvaluationIsReadAsFarAsItIsKnown() throws IOException {
    HeldOut measured =
        new HeldOut(
            Map.of(Metric.EVAL_ILA, 0.5, Metric.EVAL_CLA, 0.75, Metric.EVAL_SOUND_ILA, 0.25));
    Summary summary = new Summary("hir", 0, 1, 1, 1, 1, 0.5, null, measured);
    String json = summary.toJson();
    assertEquals(
        "{\"ila\":0.5,\"cla\":0.75,\"sound_ila\":0.25}",
        new ObjectMapper().readTree(json).get("after").toString());
    Path file = temp.resolve("summary.json");
    Files.writeString(file, json.replace("\"sound_ila\"", "\"of_tomorrow\": 1, \"sound_ila\""));
    assertEquals(summary, Summary.read(file));
    Files.writeString(file, json.replace("sound_ila", "of_tomorrow"));
    assertEquals(HeldOut.of(0.5, 0.75), Summary.read(file).after());
    assertThrows(
        IllegalArgumentException.class,
        () -> new HeldOut(Map.of(Metric.EVAL_ILA, 0.5, Metric.EVAL_CLA, 0.5, Metric.KL, 1.0)));
  }

  @Test
  void aRunWithoutEvaluationSaysNull() throws IOException {
    Summary summary = new Summary("rl-ila", 0, 0, 0, 0, 0, 0.5, null, null);
    String json = new ObjectMapper().readTree(summary.toJson()).toString();
    assertTrue(json.endsWith("\"before\":null,\"after\":null}"), json);
    Path file = Files.writeString(temp.resolve("summary.json"), summary.toJson());
    assertEquals(summary, Summary.read(file));
  }

  @Test
  void aBrokenFileIsOneClearLine() throws IOException {
    Path file = Files.writeString(temp.resolve("summary.json"), "{\"algorithm\":");
    RunException e = assertThrows(RunException.class, () -> Summary.read(file));
    assertTrue(e.getMessage().startsWith(file + " is not a run's summary"), e.getMessage());
    e = assertThrows(RunException.class, () -> Summary.read(temp.resolve("absent")));
    assertTrue(e.getMessage().endsWith("no such file or folder"), e.getMessage());
  }
}
