package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgressLineTest {

  private static final List<String> FIELDS =
      List.of("update 12/64", "ila 12.5%", "cla 61.0%", "reward 0.125", "kl 0.001");

  private static String line(int width) {
    return ProgressLine.render("train", "12/200", 0.06, "94 min left", FIELDS, width);
  }

  @Test
  void fieldsAreLeftOutWholeAndTheLastOnesFirst() {
    assertEquals(
        "train 12/200  [          ]  94 min left  update 12/64  ila 12.5%  cla 61.0%", line(80));
    assertEquals("train 12/200  [          ]  94 min left", line(50));
    assertEquals("train 12/200  94 min left", line(30));
    assertEquals("train 12/200", line(20));
    assertEquals("train 12", line(8));
    assertTrue(line(200).endsWith("update 12/64  ila 12.5%  cla 61.0%  reward 0.125  kl 0.001"));
    for (int width = 0; width < 200; width++) {
      assertTrue(line(width).length() <= width, line(width));
    }
  }

  @Test
  void theBarShowsTheShareThatIsDone() {
    assertEquals(
        "score 7  [=====     ]", ProgressLine.render("score", "7", 0.5, "", List.of(), 80));
    assertEquals("score 7", ProgressLine.render("score", "7", Double.NaN, "", List.of(), 80));
    assertEquals(
        "score 7  [====================]",
        ProgressLine.render("score", "7", 1, "", List.of(), 120));
  }

  @Test
  void durationsAreReadable() {
    assertEquals("0 s", ProgressLine.duration(0.2));
    assertEquals("99 s", ProgressLine.duration(99));
    assertEquals("3 min", ProgressLine.duration(175));
    assertEquals("2 h 5 min", ProgressLine.duration(7500));
  }

  /** A log has no line for every training step, but for the first and the last one. */
  @Test
  void aLogGetsTheFirstAndTheLastLine() {
    StringWriter log = new StringWriter();
    try (ProgressLine progress = ProgressLine.of("train", 0, 50, new PrintWriter(log))) {
      for (int i = 1; i <= 50; i++) {
        progress.within("rollout", 1, 2);
        progress.to(i, "ila " + i, "");
      }
    }
    List<String> lines = log.toString().lines().toList();
    assertTrue(lines.get(0).matches("train 1/50 \\(.* left\\)  ila 1"), lines.get(0));
    assertEquals("train 50/50  ila 50", lines.get(lines.size() - 1));
    StringWriter quiet = new StringWriter();
    try (ProgressLine progress = ProgressLine.ofLong("verify", 0, 3, new PrintWriter(quiet))) {
      progress.to(1, "x");
      progress.to(3, "x");
    }
    assertEquals("", quiet.toString(), "done before anybody could wonder");
  }
}
