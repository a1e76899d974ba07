package org.hirengine.kernels.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.KernelException;
import org.hirengine.kernels.Rows;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;

/** {@code Kernels.tokenLogprob} compared with golden vectors and double precision. */
public interface TokenLogprobContract extends KernelsUnderTest {

  @Test
  default void logprobsAndEntropiesOfTheGoldenLogits() {
    List<JsonNode> cases = SharedData.cases("golden/algos/logits.json");
    int compared = 0;
    for (JsonNode c : cases) {
      String name = c.get("name").asText();
      float[] values = SharedData.floats(c.get("logits"));
      float[] labels = SharedData.floats(c.get("labels"));
      int rows = labels.length;
      int cols = values.length / rows;
      long[] targets = new long[rows];
      for (int r = 0; r < rows; r++) {
        targets[r] = (long) labels[r];
      }
      // The effect of rounding the golden float64 logits to float32.
      double rounding = 0;
      for (float v : values) {
        rounding = Math.max(rounding, Float.isInfinite(v) ? 0 : 2 * Math.ulp(v));
      }
      for (double temperature : new double[] {1.0, 0.7}) {
        String suffix = temperature == 1.0 ? "" : "_temperature_0.7";
        if (!c.has("logprobs" + suffix)) {
          continue;
        }
        Result got = run(DType.FLOAT32, values, rows, cols, cols, targets, temperature);
        double[] logprobs = SharedData.doubles(c.get("logprobs" + suffix));
        double[] entropies = SharedData.doubles(c.get("entropy" + suffix));
        for (int r = 0; r < rows; r++) {
          String where = name + suffix + " row " + r;
          close(logprobs[r], got.logprobs[r], rounding, where);
          // The reference computes 0 * -inf = NaN; a masked token adds nothing here.
          double entropy =
              Double.isNaN(entropies[r])
                  ? new Softmax(values, r * cols, cols, temperature).entropy
                  : entropies[r];
          close(entropy, got.entropies[r], rounding, where);
          compared++;
        }
      }
    }
    assertTrue(compared > 0);
    SharedData.counted("algos/logits", cases.size());
  }

  @Test
  default void logprobsAndEntropiesOfRandomRows() {
    long seed = 1;
    for (DType dtype : DType.values()) {
      for (int cols : new int[] {1, 2, 3, 17, 255, 1000, 4096, 4099, 32_003}) {
        for (int rows : new int[] {1, 2, 13}) {
          double temperature = seed % 2 == 0 ? 1.0 : 0.6;
          RandomLogits x = new RandomLogits(rows, cols, (int) (seed % 3), dtype, seed++);
          Result got = run(dtype, x.values, rows, cols, x.stride, x.targets, temperature);
          for (int r = 0; r < rows; r++) {
            Softmax softmax = x.softmax(r, temperature);
            String where = dtype + " [" + rows + ", " + cols + "] row " + r;
            close(softmax.logProbs[(int) x.targets[r]], got.logprobs[r], 0, where);
            close(softmax.entropy, got.entropies[r], 0, where);
          }
        }
      }
    }
  }

  @Test
  default void aMaskedTargetHasLogprobMinusInfinity() {
    float[] values = {0, Float.NEGATIVE_INFINITY, 1};
    Result got = run(DType.FLOAT32, values, 1, 3, 3, new long[] {1}, 1.0);
    assertEquals(Float.NEGATIVE_INFINITY, got.logprobs[0]);
  }

  @Test
  default void aSingleFiniteLogitHasEntropyZero() {
    float ninf = Float.NEGATIVE_INFINITY;
    Result got = run(DType.FLOAT32, new float[] {ninf, 7, ninf}, 1, 3, 3, new long[] {1}, 0.5);
    assertEquals(0f, got.logprobs[0]);
    assertEquals(0, got.entropies[0], 1e-30);
  }

  @Test
  default void theLargestFloatsAreLegal() {
    float[] values = {Float.MAX_VALUE, -Float.MAX_VALUE, 0};
    Result got = run(DType.FLOAT32, values, 1, 3, 3, new long[] {0}, 1.0);
    assertEquals(0f, got.logprobs[0]);
    assertEquals(0, got.entropies[0], 1e-30);
  }

  @Test
  default void entropiesAreOptional() {
    try (Buffers b = buffers()) {
      long logprobs = b.floats(new float[1]);
      Rows rows = b.rows(DType.FLOAT32, 1, 2, 2, 0, 0);
      kernels().tokenLogprob(device(), rows, b.longs(1), 1.0, logprobs, 0);
      assertEquals(-Math.log(2), b.readFloats(logprobs, 1)[0], 1e-6);
    }
  }

  @Test
  default void scoringNamesRowsWithoutAProbability() {
    for (int cols : new int[] {5, 5000}) {
      for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
        float[] values = new float[4 * cols];
        values[2 * cols + cols / 2] = bad;
        KernelException e = fails(values, 4, cols, new long[4], 1.0);
        assertTrue(e.notFinite() && e.getMessage().contains("row 2"), e.getMessage());
      }
      float[] masked = new float[2 * cols];
      java.util.Arrays.fill(masked, cols, 2 * cols, Float.NEGATIVE_INFINITY);
      KernelException e = fails(masked, 2, cols, new long[2], 1.0);
      assertTrue(e.notFinite() && e.getMessage().contains("row 1"), e.getMessage());
      // A NaN among masked logits is found, too.
      masked[cols + 1] = Float.NaN;
      fails(masked, 2, cols, new long[2], 1.0);
    }
  }

  @Test
  default void badScoringArgumentsAreRefused() {
    float[] values = new float[6];
    assertTrue(fails(values, 2, 3, new long[] {0, 3}, 1.0).getMessage().contains("row 1"));
    assertFalse(fails(values, 2, 3, new long[] {-1, 0}, 1.0).notFinite());
    fails(values, 2, 3, new long[2], 0.0);
    fails(values, 2, 3, new long[2], Double.NaN);
  }

  private KernelException fails(
      float[] values, int rows, int cols, long[] targets, double temperature) {
    return assertThrows(
        KernelException.class,
        () -> run(DType.FLOAT32, values, rows, cols, cols, targets, temperature));
  }

  private void close(double expected, double actual, double rounding, String where) {
    assertEquals(expected, actual, tolerance() * (1 + Math.abs(expected)) + rounding, where);
  }

  private Result run(
      DType dtype,
      float[] values,
      int rows,
      int cols,
      int stride,
      long[] targets,
      double temperature) {
    try (Buffers b = buffers()) {
      long logprobs = b.floats(new float[rows]);
      long entropies = b.floats(new float[rows]);
      Rows matrix = b.rows(dtype, rows, cols, stride, values);
      kernels().tokenLogprob(device(), matrix, b.longs(targets), temperature, logprobs, entropies);
      return new Result(b.readFloats(logprobs, rows), b.readFloats(entropies, rows));
    }
  }

  /** Outputs of one call. */
  record Result(float[] logprobs, float[] entropies) {}
}
