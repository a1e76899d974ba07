package org.hirengine.kernels.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Random;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.KernelException;
import org.hirengine.kernels.Kernels.AdamW;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;

/** {@code Kernels.adamw} and {@code Kernels.sumOfSquares}. */
public interface OptimizerContract extends KernelsUnderTest {

  AdamW USUAL = new AdamW(1e-3, 0.9, 0.999, 1e-8, 0.01);

  @Test
  default void stepsOfTheGoldenOptimizer() {
    List<JsonNode> cases = SharedData.cases("golden/algos/adamw.json");
    for (JsonNode c : cases) {
      JsonNode config = c.get("config");
      AdamW adamw =
          new AdamW(
              config.get("lr").asDouble(),
              config.get("betas").get(0).asDouble(),
              config.get("betas").get(1).asDouble(),
              config.get("eps").asDouble(),
              config.get("weight_decay").asDouble());
      double maxNorm = c.get("clip_grad_norm").asDouble();
      float[] start = SharedData.floats(c.get("params"));
      int n = start.length;
      try (Buffers b = buffers()) {
        long params = b.floats(start);
        long m = b.floats(new float[n]);
        long v = b.floats(new float[n]);
        int step = 0;
        for (JsonNode s : c.get("steps")) {
          long grads = b.floats(SharedData.floats(s.get("grads")));
          double norm = Math.sqrt(kernels().sumOfSquares(device(), grads, n, DType.FLOAT32));
          assertEquals(s.get("grad_norm").asDouble(), norm, 1e-6 * norm);
          double scale = Math.min(1, maxNorm / (norm + 1e-6));
          kernels().adamw(device(), params, grads, DType.FLOAT32, m, v, 0, n, adamw, scale, ++step);
          assertArrayEquals(
              SharedData.floats(s.get("params_after")),
              b.readFloats(params, n),
              2e-6f,
              "step " + step);
        }
      }
    }
    SharedData.counted("algos/adamw", cases.size());
  }

  @Test
  default void stepsOfRandomBuffers() {
    Random random = new Random(4);
    for (DType dtype : DType.values()) {
      for (int n : new int[] {1, 7, 16, 31, 1000, 70_001}) {
        float[] p = gaussians(n, 1, random);
        float[] m = gaussians(n, 0.1, random);
        float[] v = gaussians(n, 0.1, random);
        float[] g = gaussians(n, 0.1, random);
        for (int i = 0; i < n; i++) {
          v[i] *= v[i];
        }
        if (dtype == DType.BFLOAT16) {
          g = Bf16.widen(Bf16.round(g));
        }
        try (Buffers b = buffers()) {
          long params = b.floats(p);
          long first = b.floats(m);
          long second = b.floats(v);
          long low = b.shorts(new short[n]);
          kernels()
              .adamw(
                  device(),
                  params,
                  b.elements(dtype, g),
                  dtype,
                  first,
                  second,
                  low,
                  n,
                  USUAL,
                  0.5,
                  3);
          float[] gotParams = b.readFloats(params, n);
          float[] gotLow = b.readElements(DType.BFLOAT16, low, n);
          float[] gotFirst = b.readFloats(first, n);
          float[] gotSecond = b.readFloats(second, n);
          for (int i = 0; i < n; i++) {
            double grad = 0.5 * g[i];
            double moment = 0.9 * m[i] + 0.1 * grad;
            double square = 0.999 * v[i] + 0.001 * grad * grad;
            double expected =
                p[i] * (1 - 1e-3 * 0.01)
                    - 1e-3
                        * (moment / (1 - Math.pow(0.9, 3)))
                        / (Math.sqrt(square / (1 - Math.pow(0.999, 3))) + 1e-8);
            assertEquals(moment, gotFirst[i], 1e-6 * Math.abs(moment) + 1e-8);
            assertEquals(square, gotSecond[i], 1e-6 * square);
            assertEquals(expected, gotParams[i], 1e-6 * Math.abs(expected) + 1e-7);
            assertEquals(Bf16.widen(Bf16.round(gotParams[i])), gotLow[i]);
          }
        }
      }
    }
  }

  @Test
  default void sumsOfSquaresInDouble() {
    Random random = new Random(6);
    for (DType dtype : DType.values()) {
      for (int n : new int[] {0, 1, 15, 16, 33, 65_536, 200_003}) {
        float[] x = gaussians(n, 1, random);
        if (n > 0) {
          x[n / 2] = 0x1p50f; // its square would swallow all others in float32
        }
        if (dtype == DType.BFLOAT16) {
          x = Bf16.widen(Bf16.round(x));
        }
        double expected = 0;
        for (float value : x) {
          expected += (double) value * value;
        }
        try (Buffers b = buffers()) {
          double got = kernels().sumOfSquares(device(), b.elements(dtype, x), n, dtype);
          assertEquals(expected, got, 1e-12 * expected);
        }
      }
    }
  }

  @Test
  default void aNonFiniteGradientShowsInTheSum() {
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      float[] x = new float[100_000];
      x[77_777] = bad;
      try (Buffers b = buffers()) {
        double got = kernels().sumOfSquares(device(), b.floats(x), x.length, DType.FLOAT32);
        assertTrue(!Double.isFinite(got));
      }
    }
  }

  @Test
  default void theOptimizerRefusesNanAndBadArguments() {
    try (Buffers b = buffers()) {
      float[] grads = new float[100];
      grads[61] = Float.NaN;
      long p = b.floats(new float[100]);
      long g = b.floats(grads);
      long fine = b.floats(new float[100]);
      long m = b.floats(new float[100]);
      long v = b.floats(new float[100]);
      KernelException e =
          assertThrows(
              KernelException.class,
              () -> kernels().adamw(device(), p, g, DType.FLOAT32, m, v, 0, 100, USUAL, 1, 1));
      assertTrue(e.notFinite() && e.getMessage().contains("61"), e.getMessage());
      AdamW wrong = new AdamW(1e-3, 1.0, 0.999, 1e-8, 0);
      assertThrows(
          KernelException.class,
          () -> kernels().adamw(device(), p, fine, DType.FLOAT32, m, v, 0, 100, wrong, 1, 1));
      assertThrows(
          KernelException.class,
          () -> kernels().adamw(device(), p, fine, DType.FLOAT32, m, v, 0, 100, USUAL, 1, 0));
      assertThrows(
          KernelException.class,
          () ->
              kernels()
                  .adamw(device(), p, fine, DType.FLOAT32, m, v, 0, 100, USUAL, Double.NaN, 1));
    }
  }

  private static float[] gaussians(int n, double spread, Random random) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) (spread * random.nextGaussian());
    }
    return values;
  }
}
