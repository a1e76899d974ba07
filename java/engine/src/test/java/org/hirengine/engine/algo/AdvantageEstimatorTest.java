package org.hirengine.engine.algo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AdvantageEstimatorTest {

  /** Two groups of three originals; two replays of reward 1 follow the first group. */
  private static AdvantageEstimator.Batch withReplays(double[] replayRewards) {
    double[] scores = {0, 1, 0, replayRewards[0], replayRewards[1], 0, 0, 0.5};
    int[] lengths = {2, 3, 1, 2, 4, 5, 1, 2};
    double[][] rewards = new double[scores.length][];
    for (int i = 0; i < scores.length; i++) {
      rewards[i] = new double[lengths[i]];
      rewards[i][lengths[i] - 1] = scores[i];
    }
    return new AdvantageEstimator.Batch(
        rewards,
        new int[] {0, 0, 0, 0, 0, 1, 1, 1},
        new boolean[] {false, false, false, true, true, false, false, false});
  }

  private static double[] originals(double[][] advantages) {
    int[] rows = {0, 1, 2, 5, 6, 7};
    return Arrays.stream(rows).mapToDouble(i -> advantages[i][0]).toArray();
  }

  @ParameterizedTest
  @EnumSource(names = {"GRPO", "DR_GRPO", "RLOO"})
  void replaysNeverShiftTheirGroup(AdvantageEstimator estimator) {
    double[] one = originals(estimator.advantages(withReplays(new double[] {1, 1}), 1));
    double[] other = originals(estimator.advantages(withReplays(new double[] {9, -4}), 1));
    assertArrayEquals(one, other);
    assertTrue(one[1] > 0 && one[0] < 0);
  }

  @Test
  void replayIsOneStandardDeviationOfTheBatchsRewards() {
    var batch = withReplays(new double[] {1, 1});
    double[] scores = batch.scores();
    double mean = Arrays.stream(scores).average().orElseThrow();
    double deviation = Math.sqrt(Arrays.stream(scores).map(s -> (s - mean) * (s - mean)).sum() / 7);
    assertEquals(1, AdvantageEstimator.GRPO.advantages(batch, 1)[3][0]);
    assertEquals(deviation, AdvantageEstimator.RLOO.advantages(batch, 1)[3][0], 1e-12);
    assertEquals(deviation, AdvantageEstimator.DR_GRPO.advantages(batch, 1)[4][3], 1e-12);
  }

  /** If every original failed, there are only replays to learn from. */
  @ParameterizedTest
  @EnumSource
  void replaysTeachEvenWhereEveryOriginalFailed(AdvantageEstimator estimator) {
    double[][] rewards = {{0, 0}, {0, 0, 0}, {0, 1}, {0}};
    var batch =
        new AdvantageEstimator.Batch(
            rewards, new int[] {0, 0, 0, 0}, new boolean[] {false, false, true, false});
    double[][] advantages = estimator.advantages(batch, 1);
    assertTrue(advantages[2][0] > 0.1, estimator.toString());
    assertTrue(advantages[0][0] <= 0, estimator.toString());
  }

  @Test
  void sharedGroupsPutReplaysIntoTheirOriginalsGroup() {
    var outside = withReplays(new double[] {1, 1});
    var shared = new AdvantageEstimator.Batch(outside.rewards(), outside.groups(), new boolean[8]);
    double[][] advantages = AdvantageEstimator.DR_GRPO.advantages(shared, 1);
    assertEquals(1 - 3.0 / 5, advantages[3][0], 1e-12);
    assertEquals(0 - 3.0 / 5, advantages[0][0], 1e-12);
  }

  @Test
  void whiteningIsExactForAnEqualBatchAndSurvivesALargeOffset() {
    double[][] equal = {{1.0 / 3, 1.0 / 3}, {1.0 / 3}, {}, {1.0 / 3}};
    for (double[] row : Moments.whiten(equal, true)) {
      for (double x : row) {
        assertEquals(0, x, 1e-9);
      }
    }
    Random random = new Random(4);
    double[] small = random.doubles(1000).toArray();
    double[] large = Arrays.stream(small).map(x -> x + 1e6).toArray();
    assertEquals(Moments.of(small).variance(), Moments.of(large).variance(), 1e-9);
    // Rounding moves the mean of these by 1/24, which must not show in the variance.
    assertEquals(1.0 / 3, Moments.of(new double[] {1e15, 1e15 + 1, 1e15 + 1}).variance(), 1e-12);
    assertThrows(
        IllegalArgumentException.class, () -> Moments.whiten(new double[][] {{1}, {}}, true));
    double[][] two = Moments.whiten(new double[][] {{1}, {3}}, true);
    assertEquals(-1 / Math.sqrt(2), two[0][0], 1e-8);
    assertEquals(1 / Math.sqrt(2), two[1][0], 1e-8);
  }

  /**
   * A failed response and its replay are enough for a standard deviation; a single row has none.
   */
  @Test
  void replayOfABatchOfTwoRows() {
    var batch =
        new AdvantageEstimator.Batch(
            new double[][] {{0}, {1}}, new int[] {0, 0}, new boolean[] {false, true});
    assertEquals(Math.sqrt(0.5), AdvantageEstimator.RLOO.advantages(batch, 1)[1][0], 1e-12);
    var alone =
        new AdvantageEstimator.Batch(new double[][] {{1}}, new int[] {0}, new boolean[] {true});
    assertEquals(0, AdvantageEstimator.RLOO.advantages(alone, 1)[0][0]);
  }

  @Test
  void anAdaptiveBetaNeedsATargetAndAHorizon() {
    assertThrows(IllegalArgumentException.class, () -> KlController.adaptive(0.1, 0, 100));
    assertThrows(IllegalArgumentException.class, () -> KlController.adaptive(0.1, 1, 0));
  }

  @Test
  void weightsOfAMinibatchAddUpWhateverTheMode() {
    int[] lengths = {3, 0, 1, 7};
    var totals = LossAggregation.Totals.of(lengths, 50);
    double[] sums = new double[LossAggregation.values().length];
    for (LossAggregation mode : LossAggregation.values()) {
      for (int length : lengths) {
        sums[mode.ordinal()] += length == 0 ? 0 : length * mode.weight(length, totals);
      }
    }
    assertArrayEquals(new double[] {1, 11.0 / 3, 1, 11.0 / 50}, sums, 1e-12);
  }
}
