package org.hirengine.replay;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.hirengine.replay.ReplaySelector.Scope;
import org.hirengine.replay.ReplaySelector.Selection;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;

class ReplaySelectorTest {

  private static final ReplaySelector REFERENCE = ReplaySelector.REFERENCE;

  @Test
  void choosesWhatTheReferenceChooses() {
    JsonNode cases = SharedData.json("golden/selection/select.json").get("cases");
    for (JsonNode c : cases) {
      ReplaySelector selector =
          new ReplaySelector(
              c.get("lambda0").asDouble(), c.get("eta").asDouble(), Scope.BATCH, Selection.BOTH);
      long step = c.get("step").asLong();
      double[] cla = SharedData.doubles(c.get("cla"));
      assertEquals(
          c.get("weight").asDouble(),
          selector.lambda(step),
          1e-12 * selector.lambda(step),
          c.get("name").asText());
      int[] chosen =
          selector.select(
              cla,
              SharedData.doubles(c.get("mean_entropy")),
              new int[cla.length],
              c.get("num_replay").asInt(),
              step,
              new Random(0));
      assertArrayEquals(Golden.ints(c.get("chosen")), chosen, c.get("name").asText());
    }
    SharedData.counted("selection/select", cases.size());
  }

  @Test
  void noPlaceSelectsNone() {
    assertArrayEquals(new int[0], select(REFERENCE, new double[] {0.5, 0.2}, 0, 1));
  }

  @Test
  void tooFewCandidatesSelectsAllOfThem() {
    assertArrayEquals(
        new int[] {0, 3}, select(REFERENCE, new double[] {0.5, 0, 1, 0.1, Double.NaN}, 4, 1));
  }

  @Test
  void aRowWithoutAVerdictIsNeverReplayed() {
    assertArrayEquals(
        new int[] {1}, select(REFERENCE, new double[] {Double.NaN, 0.1, Double.NaN}, 3, 1));
  }

  @Test
  void entropyStillDecidesAfterThousandsOfSteps() {
    double[] cla = {0.5, 0.5, 0.5};
    double[] entropy = {0.11, 0.13, 0.12};
    for (long step : new long[] {1, 300, 1_000, 100_000, Long.MAX_VALUE}) {
      assertArrayEquals(
          new int[] {1},
          REFERENCE.select(cla, entropy, new int[3], 1, step, new Random(0)),
          "step " + step);
    }
    assertEquals(ReplaySelector.MAX_LAMBDA, REFERENCE.lambda(100_000));
    assertEquals(
        0.0, new ReplaySelector(0, 0.05, Scope.BATCH, Selection.BOTH).lambda(Long.MAX_VALUE));
  }

  @Test
  void eachSelectionLooksAtItsOwnSignal() {
    double[] cla = {0.9, 0.1, 0.5};
    double[] entropy = {0.1, 0.9, 0.92};
    assertArrayEquals(new int[] {0}, pick(Selection.INTEGRITY, cla, entropy));
    assertArrayEquals(new int[] {2}, pick(Selection.ENTROPY, cla, entropy));
    assertArrayEquals(new int[] {0}, pick(Selection.BOTH, cla, entropy));
  }

  @Test
  void randomSelectionIsUniformAndRepeatable() {
    double[] cla = {0.9, 0.1, 0, 0.5, 0.3};
    ReplaySelector selector = new ReplaySelector(2, 0.05, Scope.BATCH, Selection.RANDOM);
    int[] hits = new int[cla.length];
    Random random = new Random(7);
    int draws = 20_000;
    for (int i = 0; i < draws; i++) {
      for (int row : selector.select(cla, new double[5], new int[5], 2, 1, random)) {
        hits[row]++;
      }
    }
    assertEquals(0, hits[2]);
    for (int row : new int[] {0, 1, 3, 4}) {
      // each of 4 candidates takes one of 2 places: 1/2, standard deviation 71 of 20,000
      assertEquals(draws / 2.0, hits[row], 5 * 71, "row " + row);
    }
    assertArrayEquals(
        selector.select(cla, new double[5], new int[5], 2, 1, new Random(3)),
        selector.select(cla, new double[5], new int[5], 2, 1, new Random(3)));
  }

  @Test
  void promptScopeSharesThePlacesEvenly() {
    // prompt 0 has the three best candidates, prompt 1 two, prompt 2 none, prompt 3 one
    double[] cla = {0.9, 0.8, 0.7, 0.3, 0.2, 0, 1, 0.1};
    int[] prompt = {0, 0, 0, 1, 1, 2, 2, 3};
    ReplaySelector selector = new ReplaySelector(2, 0.05, Scope.PROMPT, Selection.INTEGRITY);
    double[] entropy = new double[8];
    assertArrayEquals(
        new int[] {0, 3, 7}, selector.select(cla, entropy, prompt, 3, 1, new Random(0)));
    assertArrayEquals(
        new int[] {0, 1, 3, 7}, selector.select(cla, entropy, prompt, 4, 1, new Random(0)));
    assertArrayEquals(
        new int[] {0, 1, 3, 4, 7}, selector.select(cla, entropy, prompt, 5, 1, new Random(0)));
    assertArrayEquals(
        new int[] {0, 1, 2, 3, 4, 7}, selector.select(cla, entropy, prompt, 9, 1, new Random(0)));
  }

  @Test
  void agreesWithAPlainSortOnRandomBatches() {
    Random random = new Random(11);
    for (int trial = 0; trial < 300; trial++) {
      int rows = 1 + random.nextInt(40);
      int prompts = 1 + random.nextInt(5);
      double[] cla = new double[rows];
      double[] entropy = new double[rows];
      int[] prompt = new int[rows];
      for (int i = 0; i < rows; i++) {
        cla[i] = random.nextInt(6) / 5.0;
        entropy[i] = random.nextInt(4) / 2.0;
        prompt[i] = random.nextInt(prompts);
      }
      int places = random.nextInt(rows + 2);
      long step = 1L + random.nextInt(50);
      double lambda = 2.0 * Math.pow(1.05, step);
      List<Integer> rank = new ArrayList<>();
      IntStream.range(0, rows).filter(i -> cla[i] > 0 && cla[i] < 1).forEach(rank::add);
      rank.sort(
          (a, b) -> {
            int byScore =
                Double.compare(lambda * cla[b] + entropy[b], lambda * cla[a] + entropy[a]);
            return byScore != 0 ? byScore : Integer.compare(a, b);
          });
      int[] expected = rank.stream().limit(places).mapToInt(Integer::intValue).sorted().toArray();
      assertArrayEquals(
          expected, REFERENCE.select(cla, entropy, prompt, places, step, new Random(0)));

      int[] shared =
          new ReplaySelector(2, 0.05, Scope.PROMPT, Selection.BOTH)
              .select(cla, entropy, prompt, places, step, new Random(0));
      assertEquals(expected.length, shared.length);
      assertFair(shared, rank, prompt);
    }
  }

  @Test
  void refusesWhatCannotBeRanked() {
    assertThrows(
        IllegalArgumentException.class,
        () ->
            REFERENCE.select(
                new double[] {0.5}, new double[] {Double.NaN}, new int[1], 1, 1, new Random(0)));
    assertThrows(
        IllegalArgumentException.class,
        () -> REFERENCE.select(new double[2], new double[1], new int[2], 1, 1, new Random(0)));
    assertThrows(
        IllegalArgumentException.class,
        () -> new ReplaySelector(Double.NaN, 0.05, Scope.BATCH, Selection.BOTH));
    assertThrows(
        IllegalArgumentException.class,
        () -> new ReplaySelector(2, -1, Scope.BATCH, Selection.BOTH));
  }

  @Test
  void capsAtRandom() {
    int[] rows = {9, 4, 7, 1, 3};
    assertArrayEquals(new int[] {1, 3, 4, 7, 9}, ReplaySelector.atMost(rows, 5, new Random(0)));
    assertArrayEquals(new int[0], ReplaySelector.atMost(rows, 0, new Random(0)));
    Map<Integer, Integer> hits = new HashMap<>();
    Random random = new Random(5);
    for (int i = 0; i < 10_000; i++) {
      int[] some = ReplaySelector.atMost(rows, 2, random);
      assertEquals(2, Arrays.stream(some).distinct().count());
      Arrays.stream(some).forEach(row -> hits.merge(row, 1, Integer::sum));
    }
    assertEquals(5, hits.size());
    // 2 places for 5 rows: 4,000 each, standard deviation 49
    hits.values().forEach(n -> assertEquals(4_000, n, 250));
    assertArrayEquals(new int[] {9, 4, 7, 1, 3}, rows);
  }

  /** No prompt has two places more than another one that still has candidates. */
  private static void assertFair(int[] chosen, List<Integer> candidates, int[] prompt) {
    Map<Integer, Integer> taken = new HashMap<>();
    Map<Integer, Integer> available = new HashMap<>();
    candidates.forEach(row -> available.merge(prompt[row], 1, Integer::sum));
    for (int row : chosen) {
      taken.merge(prompt[row], 1, Integer::sum);
    }
    for (int mine : available.keySet()) {
      for (int other : available.keySet()) {
        boolean otherHasMore = taken.getOrDefault(other, 0) < available.get(other);
        assertTrue(
            !otherHasMore || taken.getOrDefault(mine, 0) <= taken.getOrDefault(other, 0) + 1);
      }
    }
  }

  private static int[] pick(Selection selection, double[] cla, double[] entropy) {
    return new ReplaySelector(2, 0.05, Scope.BATCH, selection)
        .select(cla, entropy, new int[cla.length], 1, 1, new Random(0));
  }

  private static int[] select(ReplaySelector selector, double[] cla, int places, long step) {
    return selector.select(
        cla, new double[cla.length], new int[cla.length], places, step, new Random(0));
  }
}
