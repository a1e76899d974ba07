package org.hirengine.kernels.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.KernelException;
import org.hirengine.kernels.Kernels.Filters;
import org.hirengine.kernels.Rows;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;

/**
 * {@code Kernels.sample} compared with golden supports and the exact inverse CDF, and by a
 * chi-square test. Philox gives the uniform of a counter, so the token of every draw is known.
 */
public interface SampleContract extends KernelsUnderTest {

  Filters PLAIN = new Filters(1.0, 0, 1.0, 0);
  long KEY = 0x0123456789abcdefL;

  /** Number of draws of a chi-square test. */
  default int draws() {
    return 1_000_000;
  }

  @Test
  default void philoxHasItsKnownAnswers() {
    assertArrayEquals(
        new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, Philox.words(0, 0, 0, 0, 0));
    assertArrayEquals(
        new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        Philox.words(-1, -1, -1, -1, -1));
    assertArrayEquals(
        new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
        Philox.words(0x299f31d0a4093822L, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344));
    // With 4096 equal logits the first 12 bits of the uniform are the token.
    int rows = 500;
    int[] counters = new Random(9).ints(4L * rows).toArray();
    Draws draws = run(DType.FLOAT32, new float[4096], rows, 4096, 0, PLAIN, counters);
    for (int r = 0; r < rows; r++) {
      int[] counter = Arrays.copyOfRange(counters, 4 * r, 4 * r + 4);
      assertEquals(Philox.words(KEY, counter)[0] >>> 20, draws.tokens[r]);
    }
  }

  /** A uniform in the middle of its share draws each token of the golden support. */
  @Test
  default void supportsOfTheGoldenRows() {
    Uniforms uniforms = Uniforms.of(KEY, 1 << 18);
    for (JsonNode golden : SharedData.jsons("golden/sampling/sampling.json")) {
      supportsOf(golden, uniforms);
    }
  }

  private void supportsOf(JsonNode golden, Uniforms uniforms) {
    for (JsonNode c : golden.get("cases")) {
      String name = c.get("row").asText() + " " + c.get("config");
      double[] logits = SharedData.doubles(golden.get("rows").get(c.get("row").asText()));
      JsonNode config = c.get("config");
      Filters filters =
          new Filters(
              config.path("temperature").asDouble(1),
              config.path("top_k").asInt(0),
              config.path("top_p").asDouble(1),
              config.path("min_p").asDouble(0));
      double[] expected = ReferenceSampler.probabilities(logits, filters);
      double[] given = SharedData.doubles(c.get("probs"));
      // Sorts differ in which of tied tokens they keep, so compare sorted probabilities only.
      double[] own = Arrays.stream(expected).filter(p -> p > 0).toArray();
      if (c.get("has_tied_logits").asBoolean()) {
        Arrays.sort(own);
        Arrays.sort(given);
      }
      assertArrayEquals(given, own, 1e-9, name);

      float[] row = SharedData.floats(golden.get("rows").get(c.get("row").asText()));
      checkDraws(DType.FLOAT32, row, filters, expected, uniforms, name);
      Draws greedy = run(DType.FLOAT32, row, 1, row.length, 0, new Filters(0, 0, 1, 0), new int[4]);
      assertEquals(c.get("argmax").asLong(), greedy.tokens[0], name);
    }
    SharedData.counted("sampling", golden.get("cases").size());
  }

  @Test
  default void drawsFollowTheInverseCdfOnRandomRows() {
    Uniforms uniforms = Uniforms.of(KEY, 1 << 14);
    Filters[] configs = {
      PLAIN,
      new Filters(0.7, 0, 1, 0),
      new Filters(1, 5, 1, 0),
      new Filters(1, 2000, 1, 0),
      new Filters(1, 0, 0.9, 0),
      new Filters(2, 0, 0.999, 0),
      new Filters(1, 0, 1, 0.02),
      new Filters(0.8, 50, 0.95, 0.01),
    };
    for (DType dtype : DType.values()) {
      for (int cols : new int[] {1, 3, 17, 1000, 5003}) {
        for (int kind = 0; kind < 3; kind++) {
          Random random = new Random(cols + kind);
          float[] row = new float[cols];
          for (int j = 0; j < cols; j++) {
            double x = (kind == 0 ? 3 : kind == 1 ? 0.3 : 12) * random.nextGaussian();
            row[j] = j > 0 && random.nextInt(8) == 0 ? Float.NEGATIVE_INFINITY : (float) x;
          }
          float[] seen = dtype == DType.BFLOAT16 ? Bf16.widen(Bf16.round(row)) : row;
          double[] logits = IntStream.range(0, cols).mapToDouble(j -> seen[j]).toArray();
          for (Filters filters : configs) {
            double[] p = ReferenceSampler.probabilities(logits, filters);
            checkDraws(dtype, seen, filters, p, uniforms, dtype + " " + cols + " " + filters);
          }
        }
      }
    }
  }

  @Test
  default void frequenciesPassChiSquare() {
    float[] row = new float[40];
    for (int j = 0; j < row.length; j++) {
      row[j] = (float) (2 * Math.sin(j * 1.7));
    }
    double[] logits = IntStream.range(0, row.length).mapToDouble(j -> row[j]).toArray();
    for (Filters filters : new Filters[] {PLAIN, new Filters(0.8, 20, 0.9, 0.02)}) {
      double[] p = ReferenceSampler.probabilities(logits, filters);
      int[] counters = new int[4 * draws()];
      for (int i = 0; i < draws(); i++) {
        counters[4 * i] = i; // a row's position
        counters[4 * i + 2] = 7;
      }
      Draws draws = run(DType.FLOAT32, row, draws(), row.length, 0, filters, counters);
      long[] counts = new long[row.length];
      for (long token : draws.tokens) {
        counts[(int) token]++;
      }
      double chi = 0;
      int cells = 0;
      for (int j = 0; j < row.length; j++) {
        if (p[j] == 0) {
          assertEquals(0, counts[j], "token " + j + " is filtered out");
          continue;
        }
        double expected = p[j] * draws();
        chi += (counts[j] - expected) * (counts[j] - expected) / expected;
        cells++;
      }
      // Wilson and Hilferty: the cube root of chi-square over its freedom is nearly normal; 4
      // sigma.
      double freedom = cells - 1;
      double z =
          (Math.cbrt(chi / freedom) - (1 - 2 / (9 * freedom))) / Math.sqrt(2 / (9 * freedom));
      assertTrue(Math.abs(z) < 4, "chi-square " + chi + " of " + cells + " cells, z = " + z);
    }
  }

  @Test
  default void logprobsAndEntropiesAreThoseOfTheTemperedUnfilteredRow() {
    long seed = 50;
    for (DType dtype : DType.values()) {
      for (int cols : new int[] {2, 100, 9001}) {
        for (double temperature : new double[] {0, 0.5, 1.3}) {
          RandomLogits x = new RandomLogits(6, cols, 1, dtype, seed++);
          Filters filters = new Filters(temperature, 3, 0.9, 0.1);
          int[] counters = new Random(seed).ints(24).toArray();
          Draws draws = run(dtype, x.values, 6, cols, x.stride, filters, counters);
          for (int r = 0; r < 6; r++) {
            Softmax softmax = x.softmax(r, temperature == 0 ? 1 : temperature);
            double expected = softmax.logProbs[(int) draws.tokens[r]];
            double slack = tolerance() * (1 + Math.abs(expected));
            assertEquals(expected, draws.logprobs[r], slack, dtype + " " + cols + " row " + r);
            assertEquals(
                softmax.entropy,
                draws.entropies[r],
                tolerance() * (1 + softmax.entropy),
                dtype + " " + cols + " entropy of row " + r);
          }
        }
      }
    }
  }

  @Test
  default void greedyTakesTheLowestIdOfATie() {
    float[] row = new float[5000];
    row[4321] = 2;
    row[17] = 2;
    row[18] = 2;
    Draws draws = run(DType.FLOAT32, row, 1, row.length, 0, new Filters(0, 0, 1, 0), new int[4]);
    assertEquals(17, draws.tokens[0]);
    draws = run(DType.FLOAT32, row, 1, row.length, 0, new Filters(1, 3, 1e-6, 0), new int[4]);
    assertEquals(17, draws.tokens[0], "top-p keeps the lower ids of a tie");
  }

  @Test
  default void samplingNamesRowsWithoutAProbability() {
    for (Filters filters :
        new Filters[] {PLAIN, new Filters(0, 0, 1, 0), new Filters(1, 2, 1, 0)}) {
      float[] rows = new float[30];
      rows[15] = Float.NaN;
      KernelException e =
          assertThrows(
              KernelException.class,
              () -> run(DType.FLOAT32, rows, 3, 10, 10, filters, new int[12]));
      assertTrue(e.notFinite() && e.getMessage().contains("row 1"), e.getMessage());
      Arrays.fill(rows, 10, 20, Float.NEGATIVE_INFINITY);
      assertThrows(
          KernelException.class, () -> run(DType.FLOAT32, rows, 3, 10, 10, filters, new int[12]));
    }
  }

  @Test
  default void badFiltersAreRefused() {
    for (Filters bad :
        new Filters[] {
          new Filters(-1, 0, 1, 0),
          new Filters(Double.NaN, 0, 1, 0),
          new Filters(1, -1, 1, 0),
          new Filters(1, 0, 0, 0),
          new Filters(1, 0, 1.5, 0),
          new Filters(1, 0, 1, -0.1),
          new Filters(1, 0, 1, 1.1),
        }) {
      assertThrows(
          KernelException.class,
          () -> run(DType.FLOAT32, new float[4], 1, 4, 4, bad, new int[4]),
          bad.toString());
    }
  }

  /**
   * Draws with uniforms near the middle of every token's share (in long rows, of some tokens), and
   * with some random ones; each must give the token whose share it is in.
   */
  private void checkDraws(
      DType dtype, float[] row, Filters filters, double[] p, Uniforms uniforms, String where) {
    double[] upTo = new double[p.length];
    double sum = 0;
    int n = 0;
    int[] chosen = new int[2 * p.length + 64];
    int every = 1 + p.length / 64;
    for (int j = 0; j < p.length; j++) {
      if (p[j] > 0 && j % every == 0) {
        chosen[n++] = uniforms.nearest(sum + p[j] / 2);
      }
      sum += p[j];
      upTo[j] = sum;
    }
    for (int i = 0; i < 64; i++) {
      chosen[n++] = i;
    }
    int[] counters = new int[4 * n];
    for (int i = 0; i < n; i++) {
      counters[4 * i] = chosen[i];
    }
    Draws draws = run(dtype, row, n, row.length, 0, filters, counters);
    // A draw this close to the edge of a share may fall on the other side in float32.
    double edge = 2e-5;
    for (int i = 0; i < n; i++) {
      double u = Philox.uniform(KEY, chosen[i], 0, 0, 0);
      int token = (int) draws.tokens[i];
      assertTrue(p[token] > 0, () -> where + ": token " + token + " is filtered out");
      assertTrue(
          upTo[token] - p[token] - edge <= u && u < upTo[token] + edge,
          () -> where + ": uniform " + u + " drew token " + token);
    }
  }

  private Draws run(
      DType dtype,
      float[] values,
      int rows,
      int cols,
      int stride,
      Filters filters,
      int[] counters) {
    try (Buffers b = buffers()) {
      long tokens = b.longs(new long[rows]);
      long logprobs = b.floats(new float[rows]);
      Rows matrix = b.rows(dtype, rows, cols, stride, values);
      long entropies = b.floats(new float[rows]);
      kernels()
          .sample(device(), matrix, filters, KEY, b.ints(counters), tokens, logprobs, entropies);
      return new Draws(
          b.readLongs(tokens, rows), b.readFloats(logprobs, rows), b.readFloats(entropies, rows));
    }
  }

  /** Outputs of one call. */
  record Draws(long[] tokens, float[] logprobs, float[] entropies) {}

  /** The uniforms of the counters (i, 0, 0, 0), sorted for searching. */
  record Uniforms(double[] sorted, int[] counter) {

    static Uniforms of(long key, int count) {
      double[] values = new double[count];
      for (int i = 0; i < count; i++) {
        values[i] = Philox.uniform(key, i, 0, 0, 0);
      }
      int[] order =
          IntStream.range(0, count)
              .boxed()
              .sorted((a, b) -> Double.compare(values[a], values[b]))
              .mapToInt(i -> i)
              .toArray();
      return new Uniforms(IntStream.of(order).mapToDouble(i -> values[i]).toArray(), order);
    }

    int nearest(double u) {
      int at = Arrays.binarySearch(sorted, u);
      int above = Math.min(at < 0 ? -at - 1 : at, sorted.length - 1);
      int below = Math.max(0, above - 1);
      return counter[Math.abs(sorted[above] - u) < Math.abs(sorted[below] - u) ? above : below];
    }
  }
}
