package org.hirengine.replay;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;

/** The number and order of a step's rows: {@link Resampling} and {@link RowOrder}. */
class StepShapeTest {

  @Test
  void resamplesAsTheReferenceDoes() {
    JsonNode cases = SharedData.json("golden/selection/resample.json").get("cases");
    for (JsonNode c : cases) {
      int group = c.get("n").asInt();
      int sampled = c.get("sampled").asInt();
      int batch = c.get("batch").asInt();
      int valid = c.get("num_valid").asInt();
      Resampling plan = Resampling.plan(group, sampled, batch, valid);
      assertEquals(c.get("resample_n").asInt(), plan.extraPerPrompt(), c.toString());
      assertEquals(c.get("num_replay").asInt(), plan.places(), c.toString());
      assertEquals(
          c.get("rollouts_per_prompt").asInt(), sampled + plan.extraPerPrompt(), c.toString());
      assertEquals(
          c.get("total_after_replay").asInt(),
          (sampled + plan.extraPerPrompt()) * batch + plan.places(),
          c.toString());
    }
    SharedData.counted("selection/resample", cases.size());
  }

  @Test
  void anyGroupSizeFillsTheStepExactly() {
    for (int group = 1; group <= 10; group++) {
      for (int sampled = 1; sampled <= group; sampled++) {
        for (int prompts : new int[] {1, 2, 7, 48}) {
          for (int valid = 0; valid <= sampled * prompts; valid++) {
            Resampling plan = Resampling.plan(group, sampled, prompts, valid);
            assertEquals(
                group * prompts, (sampled + plan.extraPerPrompt()) * prompts + plan.places());
            assertTrue(plan.places() >= 0 && plan.places() <= Math.max(valid, 0));
            // with one response fewer per prompt, places would have no candidates
            assertTrue(
                plan.extraPerPrompt() == 0
                    || (group - sampled - plan.extraPerPrompt() + 1) * prompts > valid);
          }
        }
      }
    }
  }

  @Test
  void refusesImpossibleGroups() {
    assertThrows(IllegalArgumentException.class, () -> Resampling.plan(8, 9, 1, 0));
    assertThrows(IllegalArgumentException.class, () -> Resampling.plan(8, 0, 1, 0));
    assertThrows(IllegalArgumentException.class, () -> Resampling.plan(8, 6, 0, 0));
  }

  @Test
  void ordersRowsAsTheReferenceDoes() {
    JsonNode cases = SharedData.json("golden/selection/row_order.json").get("cases");
    for (JsonNode c : cases) {
      List<String> order = c.has("batch") ? sampledOrder(c) : replayOrder(c);
      assertEquals(Golden.strings(c.get("order")), order);
    }
    SharedData.counted("selection/row_order", cases.size());
  }

  @Test
  void replaysOfOneOriginalStayBehindIt() {
    assertArrayEquals(
        new int[] {0, 3, 4, 1, 2, 5}, RowOrder.behindOriginals(3, new int[] {0, 0, 2}));
    assertArrayEquals(new int[] {0, 1}, RowOrder.behindOriginals(2, new int[0]));
    assertThrows(
        IllegalArgumentException.class, () -> RowOrder.behindOriginals(3, new int[] {2, 1}));
    assertThrows(IllegalArgumentException.class, () -> RowOrder.behindOriginals(3, new int[] {3}));
  }

  private static List<String> sampledOrder(JsonNode c) {
    int batch = c.get("batch").asInt();
    int sampled = c.get("sampled").asInt();
    int extra = c.get("resample_n").asInt();
    List<String> names = new ArrayList<>();
    for (int p = 0; p < batch; p++) {
      for (int i = 0; i < sampled; i++) {
        names.add("p" + p + "." + i);
      }
    }
    for (int p = 0; p < batch; p++) {
      for (int i = 0; i < extra; i++) {
        names.add("p" + p + ".r" + i);
      }
    }
    return named(RowOrder.byPrompt(batch, sampled, extra), names);
  }

  private static List<String> replayOrder(JsonNode c) {
    int rows = c.get("rows").asInt();
    int[] originals = Golden.ints(c.get("replay_index"));
    List<String> names = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      names.add("o" + i);
    }
    for (int original : originals) {
      names.add("replay" + original);
    }
    return named(RowOrder.behindOriginals(rows, originals), names);
  }

  private static List<String> named(int[] order, List<String> names) {
    List<String> named = new ArrayList<>();
    for (int row : order) {
      named.add(names.get(row));
    }
    return named;
  }
}
