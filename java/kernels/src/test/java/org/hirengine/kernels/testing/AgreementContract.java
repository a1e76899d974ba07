package org.hirengine.kernels.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.KernelRegistry;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.Kernels.AdamW;
import org.hirengine.kernels.Kernels.Filters;
import org.hirengine.kernels.Kernels.KlLoss;
import org.hirengine.kernels.Kernels.PolicyLossConfig;
import org.hirengine.kernels.Kernels.PolicyLossSums;
import org.hirengine.kernels.Kernels.TokenInputs;
import org.hirengine.kernels.Rows;
import org.junit.jupiter.api.Test;

/** A device's kernels agree with the CPU's on equal inputs, each in its own memory. */
public interface AgreementContract extends KernelsUnderTest {

  /** Kernels, their device and its memory. */
  record Side(Kernels kernels, Device device, Memory memory) {

    static Side cpu() {
      return new Side(KernelRegistry.choose(Device.Kind.CPU), Device.CPU, Memory.HOST);
    }
  }

  /** The side under test. */
  default Side side() {
    return new Side(kernels(), device(), memory());
  }

  /** Columns of the compared logits; a real vocabulary where it is fast enough. */
  default int agreementColumns() {
    return 32_003;
  }

  @Test
  default void logprobsAgreeWithTheCpus() {
    for (DType dtype : DType.values()) {
      RandomLogits x = new RandomLogits(24, agreementColumns(), 5, dtype, 31);
      float[][] here = logprobs(side(), x);
      float[][] cpu = logprobs(Side.cpu(), x);
      for (int i = 0; i < cpu.length; i++) {
        for (int r = 0; r < x.rows; r++) {
          assertEquals(
              cpu[i][r], here[i][r], 2 * tolerance() * (1 + Math.abs(cpu[i][r])), "row " + r);
        }
      }
    }
  }

  private static float[][] logprobs(Side side, RandomLogits x) {
    try (Buffers b = new Buffers(side.memory())) {
      long logprobs = b.floats(new float[x.rows]);
      long entropies = b.floats(new float[x.rows]);
      side.kernels()
          .tokenLogprob(
              side.device(),
              b.rows(x.dtype, x.rows, x.cols, x.stride, x.values),
              b.longs(x.targets),
              0.7,
              logprobs,
              entropies);
      return new float[][] {b.readFloats(logprobs, x.rows), b.readFloats(entropies, x.rows)};
    }
  }

  @Test
  default void lossesAndGradientsAgreeWithTheCpus() {
    PolicyLossConfig config = new PolicyLossConfig(0.9, 0.2, 0.28, 3, 0.01, KlLoss.K3, 0.1);
    for (DType dtype : DType.values()) {
      int rows = 12;
      int cols = agreementColumns();
      Random random = new Random(9);
      float[] logits = gaussians(rows * cols, 3, random);
      float[][] inputs = new float[4][];
      for (int i = 0; i < inputs.length; i++) {
        inputs[i] = gaussians(rows, 1, random);
      }
      for (int r = 0; r < rows; r++) {
        inputs[0][r] -= (float) Math.log(cols);
        inputs[1][r] -= (float) Math.log(cols);
        inputs[3][r] = r == 3 ? 0 : Math.abs(inputs[3][r]);
      }
      long[] targets = random.longs(rows, 0, cols).toArray();
      Loss here = loss(side(), dtype, cols, logits, targets, inputs, config);
      Loss cpu = loss(Side.cpu(), dtype, cols, logits, targets, inputs, config);
      assertEquals(cpu.sums.loss(), here.sums.loss(), 1e-5 * (1 + Math.abs(cpu.sums.loss())));
      assertEquals(cpu.sums.entropy(), here.sums.entropy(), 1e-5 * cpu.sums.entropy());
      assertEquals(cpu.sums.clipped(), here.sums.clipped(), 1e-6);
      // A bfloat16 gradient may round to a neighbour.
      double relative = dtype == DType.BFLOAT16 ? 0x1p-7 : 1e-4;
      for (int i = 0; i < cpu.gradient.length; i++) {
        double bound = relative * Math.abs(cpu.gradient[i]) + 1e-7;
        if (!(Math.abs(cpu.gradient[i] - here.gradient[i]) <= bound)) {
          assertEquals(cpu.gradient[i], here.gradient[i], bound, dtype + " logit " + i);
        }
      }
    }
  }

  /** Outputs of one call. */
  record Loss(PolicyLossSums sums, float[] gradient) {}

  private static Loss loss(
      Side side,
      DType dtype,
      int cols,
      float[] logits,
      long[] targets,
      float[][] inputs,
      PolicyLossConfig config) {
    try (Buffers b = new Buffers(side.memory())) {
      long data = b.elements(dtype, logits);
      PolicyLossSums sums =
          side.kernels()
              .policyLoss(
                  side.device(),
                  new Rows(data, targets.length, cols, cols, dtype),
                  b.longs(targets),
                  new TokenInputs(
                      b.floats(inputs[0]),
                      b.floats(inputs[1]),
                      b.floats(inputs[2]),
                      b.floats(inputs[3])),
                  config,
                  0,
                  0);
      return new Loss(sums, b.readElements(dtype, data, logits.length));
    }
  }

  @Test
  default void drawsAgreeWithTheCpus() {
    int rows = 200;
    Random random = new Random(12);
    int[] counters = random.ints(4L * rows).toArray();
    for (DType dtype : DType.values()) {
      float[] logits = gaussians(rows * 1009, 2, random);
      for (Filters filters :
          new Filters[] {
            new Filters(1, 0, 1, 0), new Filters(0.8, 50, 0.9, 0.01), new Filters(0, 0, 1, 0)
          }) {
        long[] here = draws(side(), dtype, logits, rows, filters, counters);
        long[] cpu = draws(Side.cpu(), dtype, logits, rows, filters, counters);
        int differ = 0;
        for (int r = 0; r < rows; r++) {
          differ += here[r] == cpu[r] ? 0 : 1;
        }
        // A uniform at the edge of a token's share may fall on the other side.
        assertTrue(differ <= (filters.temperature() == 0 ? 0 : 2), differ + " differ: " + filters);
      }
    }
  }

  private static long[] draws(
      Side side, DType dtype, float[] logits, int rows, Filters filters, int[] counters) {
    int cols = logits.length / rows;
    try (Buffers b = new Buffers(side.memory())) {
      long tokens = b.longs(new long[rows]);
      side.kernels()
          .sample(
              side.device(),
              b.rows(dtype, rows, cols, cols, logits),
              filters,
              77,
              b.ints(counters),
              tokens,
              b.floats(new float[rows]),
              0);
      return b.readLongs(tokens, rows);
    }
  }

  @Test
  default void optimizerStepsAgreeWithTheCpus() {
    int n = 40_003;
    Random random = new Random(2);
    float[] params = gaussians(n, 1, random);
    float[] gradients = gaussians(n, 0.1, random);
    float[][] here = steps(side(), params, gradients);
    float[][] cpu = steps(Side.cpu(), params, gradients);
    for (int i = 0; i < cpu.length; i++) {
      assertArrayEquals(cpu[i], here[i], 3e-7f);
    }
  }

  private static float[][] steps(Side side, float[] params, float[] gradients) {
    int n = params.length;
    AdamW config = new AdamW(1e-2, 0.9, 0.99, 1e-8, 0.01);
    try (Buffers b = new Buffers(side.memory())) {
      long p = b.floats(params);
      long g = b.floats(gradients);
      long m = b.floats(new float[n]);
      long v = b.floats(new float[n]);
      double norm = Math.sqrt(side.kernels().sumOfSquares(side.device(), g, n, DType.FLOAT32));
      for (int step = 1; step <= 3; step++) {
        side.kernels()
            .adamw(side.device(), p, g, DType.FLOAT32, m, v, 0, n, config, 1 / norm, step);
      }
      return new float[][] {b.readFloats(p, n), b.readFloats(m, n), b.readFloats(v, n)};
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
