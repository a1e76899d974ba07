package org.hirengine.kernels.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.KernelException;
import org.hirengine.kernels.Kernels.KlLoss;
import org.hirengine.kernels.Kernels.PolicyLossConfig;
import org.hirengine.kernels.Kernels.PolicyLossSums;
import org.hirengine.kernels.Kernels.TokenInputs;
import org.hirengine.kernels.Rows;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;

/**
 * {@code Kernels.policyLoss} compared with golden vectors, double precision and finite differences.
 */
public interface PolicyLossContract extends KernelsUnderTest {

  /** PPO as in ALGORITHM 2.9, without entropy bonus and KL loss. */
  PolicyLossConfig PLAIN = new PolicyLossConfig(1.0, 0.2, 0.2, 3.0, 0, KlLoss.NONE, 0);

  /**
   * The goldens have log-probs, but the kernel takes logits. The loss depends only on the
   * difference from the old log-prob, so each token gets a vocabulary of two whose first entry has
   * log-prob -1.
   */
  @Test
  default void lossAndGradientOfTheGoldenTokens() {
    List<JsonNode> cases = SharedData.cases("golden/algos/policy_loss_vanilla.json");
    for (JsonNode c : cases) {
      JsonNode config = c.get("config");
      double range = config.get("clip_ratio").asDouble();
      PolicyLossConfig loss =
          new PolicyLossConfig(
              1.0,
              config.get("clip_ratio_low").asDouble(range),
              config.get("clip_ratio_high").asDouble(range),
              config.get("clip_ratio_c").asDouble(),
              0,
              KlLoss.NONE,
              0);
      double[] logprob = SharedData.doubles(c.get("log_prob"));
      double[] old = SharedData.doubles(c.get("old_log_prob"));
      int n = logprob.length;
      Call call = new Call(n, 2);
      for (int i = 0; i < n; i++) {
        call.setLogprobs(i, -1, Math.log(1 - Math.exp(-1)));
        call.old[i] = (float) (-1 - (logprob[i] - old[i]));
      }
      call.advantages = SharedData.floats(c.get("advantages"));
      JsonNode expected = c.get("expected");
      String name = c.get("name").asText();

      // Clip fractions and KL are means over tokens, whatever the loss's own aggregation.
      call.weights = GoldenWeights.tokenMean(c.get("response_mask"), null);
      PolicyLossSums means = call.run(this, loss).sums;
      close(expected.get("pg_clipfrac"), means.clipped(), name + " clip fraction");
      close(expected.get("pg_clipfrac_lower"), means.clippedDual(), name + " dual clip fraction");
      close(expected.get("ppo_kl"), means.approxKl(), name + " approximate KL");

      call.weights = GoldenWeights.of(c);
      Result got = call.run(this, loss);
      close(expected.get("pg_loss"), got.sums.policyLoss(), name + " loss");
      assertEquals(got.sums.policyLoss(), got.sums.loss(), name);
      double[] grad = SharedData.doubles(expected.get("grad_log_prob"));
      for (int i = 0; i < n; i++) {
        double byLogit = grad[i] * (1 - Math.exp(-1));
        double slack = 2e-5 * Math.abs(byLogit) + 1e-9;
        assertEquals(byLogit, got.gradient[2 * i], slack, name + " token " + i);
        assertEquals(-byLogit, got.gradient[2 * i + 1], slack, name + " token " + i);
      }
    }
    SharedData.counted("algos/policy_loss_vanilla", cases.size());
  }

  @Test
  default void klLossOfTheGoldenTokens() {
    Map<String, KlLoss> estimators =
        Map.of(
            "kl",
            KlLoss.K1,
            "k1",
            KlLoss.K1,
            "mse",
            KlLoss.K2,
            "k2",
            KlLoss.K2,
            "low_var_kl",
            KlLoss.K3,
            "k3",
            KlLoss.K3);
    int compared = 0;
    for (JsonNode c : SharedData.cases("golden/algos/kl_penalty.json")) {
      KlLoss estimator = estimators.get(c.get("kl_penalty").asText());
      if (estimator == null || c.has("raises")) {
        continue; // "abs" has no gradient that a loss could use
      }
      double[] logprob = SharedData.doubles(c.get("logprob"));
      double[] ref = SharedData.doubles(c.get("ref_logprob"));
      double[] expected = SharedData.doubles(c.get("expected"));
      double[] grad = SharedData.doubles(c.get("grad_sum_wrt_logprob"));
      Call call = new Call(logprob.length, 2);
      Arrays.fill(call.weights, 1);
      for (int i = 0; i < logprob.length; i++) {
        call.setLogprobs(i, -1, Math.log(1 - Math.exp(-1)));
        call.ref[i] = (float) (-1 - (logprob[i] - ref[i]));
      }
      PolicyLossConfig config = new PolicyLossConfig(1.0, 0.2, 0.2, 3.0, 0, estimator, 1.0);
      Result got = call.run(this, config);
      double sum = Arrays.stream(expected).sum();
      assertEquals(sum, got.sums.klLoss(), 1e-5 * (1 + Math.abs(sum)), c.get("name").asText());
      for (int i = 0; i < grad.length; i++) {
        double byLogit = grad[i] * (1 - Math.exp(-1));
        String where = c.get("name").asText() + " token " + i;
        assertEquals(byLogit, got.gradient[2 * i], 1e-5 * Math.abs(byLogit) + 1e-6, where);
      }
      compared++;
    }
    assertTrue(compared > 0);
    SharedData.counted("algos/kl_penalty (loss)", compared);
  }

  /** Compares d loss / d logits with central differences of a loss that is written again here. */
  @Test
  default void gradientIsTheLossesDerivative() {
    Random random = new Random(3);
    for (KlLoss estimator : KlLoss.values()) {
      for (double temperature : new double[] {1.0, 0.7}) {
        PolicyLossConfig config =
            new PolicyLossConfig(temperature, 0.2, 0.28, 3.0, 0.05, estimator, 0.3);
        Call call = Call.random(12, 9, random);
        Result got = call.run(this, config);
        for (int r = 0; r < call.rows; r++) {
          for (int j = 0; j < call.cols; j++) {
            double h = 1e-5;
            double up = call.loss(r, j, h, config);
            double down = call.loss(r, j, -h, config);
            assertEquals(
                (up - down) / (2 * h),
                got.gradient[r * call.cols + j],
                2e-6,
                estimator + " row " + r + " logit " + j);
          }
        }
        double loss = 0;
        for (int r = 0; r < call.rows; r++) {
          loss += call.loss(r, 0, 0, config);
        }
        assertEquals(loss, got.sums.loss(), 1e-5 * (1 + Math.abs(loss)));
      }
    }
  }

  @Test
  default void gradientsOfRandomRows() {
    long seed = 100;
    for (DType dtype : DType.values()) {
      for (int cols : new int[] {1, 2, 17, 1000, 4099, 32_003}) {
        for (int rows : new int[] {1, 5, cols > 5000 ? 9 : 40}) {
          RandomLogits x = new RandomLogits(rows, cols, (int) (seed % 3), dtype, seed++);
          Random random = new Random(seed);
          float[] old = new float[rows];
          float[] advantages = new float[rows];
          float[] weights = new float[rows];
          for (int r = 0; r < rows; r++) {
            double logprob = x.softmax(r, 0.8).logProbs[(int) x.targets[r]];
            old[r] = (float) (logprob + 0.1 * random.nextGaussian());
            advantages[r] = (float) random.nextGaussian();
            weights[r] = r % 7 == 3 ? 0 : random.nextFloat();
          }
          PolicyLossConfig config =
              new PolicyLossConfig(0.8, 0.2, 0.2, 3.0, seed % 2 * 0.02, KlLoss.NONE, 0);
          try (Buffers b = buffers()) {
            long logits = b.elements(dtype, x.values);
            long logprobs = b.floats(new float[rows]);
            long entropies = b.floats(new float[rows]);
            kernels()
                .policyLoss(
                    device(),
                    new Rows(logits, rows, cols, x.stride, dtype),
                    b.longs(x.targets),
                    new TokenInputs(b.floats(old), 0, b.floats(advantages), b.floats(weights)),
                    config,
                    logprobs,
                    entropies);
            float[] gradient = b.readElements(dtype, logits, x.values.length);
            float[] gotLogprobs = b.readFloats(logprobs, rows);
            float[] gotEntropies = b.readFloats(entropies, rows);
            for (int r = 0; r < rows; r++) {
              String where = dtype + " [" + rows + ", " + cols + "] row " + r;
              if (weights[r] == 0) {
                assertEquals(0f, gotLogprobs[r], where);
                assertEquals(0f, gotEntropies[r], where);
                int from = r * x.stride;
                assertArrayEquals(
                    new float[cols], Arrays.copyOfRange(gradient, from, from + cols), where);
                continue;
              }
              Softmax softmax = x.softmax(r, 0.8);
              double logprob = softmax.logProbs[(int) x.targets[r]];
              close(logprob, gotLogprobs[r], where);
              close(softmax.entropy, gotEntropies[r], where);
              double[] expected =
                  ReferenceLoss.gradient(
                      softmax,
                      (int) x.targets[r],
                      ReferenceLoss.byLogprob(logprob, old[r], advantages[r], config) * weights[r],
                      config.entropyBonus() * weights[r],
                      0.8);
              double rounding = dtype == DType.BFLOAT16 ? 0x1p-8 : 2e-5;
              for (int j = 0; j < cols; j++) {
                double off = Math.abs(expected[j] - gradient[r * x.stride + j]);
                if (!(off <= rounding * Math.abs(expected[j]) + 1e-6)) {
                  assertEquals(expected[j], gradient[r * x.stride + j], where + " logit " + j);
                }
              }
            }
            for (int i = 0; i < x.values.length; i++) {
              if (i % x.stride >= cols && !Float.isNaN(gradient[i])) {
                fail("a gap between rows was written");
              }
            }
          }
        }
      }
    }
  }

  @Test
  default void withoutOldLogprobsTheRatioIsOne() {
    Random random = new Random(5);
    Call call = Call.random(8, 11, random);
    Result onPolicy = call.withoutOld().run(this, PLAIN);
    double loss = 0;
    for (int r = 0; r < call.rows; r++) {
      loss -= (double) call.weights[r] * call.advantages[r];
    }
    assertEquals(loss, onPolicy.sums.policyLoss(), 1e-6);
    assertEquals(0, onPolicy.sums.approxKl());
    assertEquals(0, onPolicy.sums.clipped());
    // The same as passing the current log-probs.
    call.old = onPolicy.logprobs;
    call.useOld = true;
    assertArrayEquals(onPolicy.gradient, call.run(this, PLAIN).gradient, 1e-6f);
  }

  @Test
  default void maskedTokensAreNotLookedAt() {
    Call call = new Call(3, 4);
    call.weights = new float[] {0, 1, 0};
    call.advantages = new float[] {Float.NaN, 1, 1};
    call.old = new float[] {Float.NaN, -1.4f, 0};
    call.targets = new long[] {-77, 2, 1L << 40};
    Arrays.fill(call.logits, 0, 4, Float.NaN);
    Result got = call.run(this, PLAIN);
    for (int j = 0; j < 4; j++) {
      assertEquals(0f, got.gradient[j]);
      assertTrue(got.gradient[4 + j] != 0);
      assertEquals(0f, got.gradient[8 + j]);
    }
    assertEquals(Math.log(4), got.sums.entropy(), 1e-6);
  }

  @Test
  default void minusInfinityGetsGradientZero() {
    Call call = new Call(1, 3);
    call.weights[0] = 1;
    call.advantages[0] = 1;
    call.logits[2] = Float.NEGATIVE_INFINITY;
    PolicyLossConfig config = new PolicyLossConfig(1.0, 0.2, 0.2, 3.0, 0.1, KlLoss.NONE, 0);
    Result got = call.withoutOld().run(this, config);
    assertTrue(got.gradient[2] == 0);
    assertEquals(-0.5f, got.gradient[0], 1e-6f);
  }

  @Test
  default void noRowsGiveZeroSums() {
    PolicyLossSums sums = new Call(0, 5).run(this, PLAIN).sums;
    assertEquals(new PolicyLossSums(0, 0, 0, 0, 0, 0, 0), sums);
  }

  @Test
  default void lossNamesNanInputs() {
    for (int which = 0; which < 4; which++) {
      Call call = Call.random(6, 3, new Random(1));
      call.weights[4] = 1;
      switch (which) {
        case 0 -> call.logits[4 * 3 + 1] = Float.NaN;
        case 1 -> call.advantages[4] = Float.NaN;
        case 2 -> call.old[4] = Float.NaN;
        default -> call.weights[4] = Float.NaN;
      }
      KernelException e = assertThrows(KernelException.class, () -> call.run(this, PLAIN));
      assertTrue(e.notFinite() && e.getMessage().contains("row 4"), e.getMessage());
    }
  }

  @Test
  default void badLossArgumentsAreRefused() {
    Call call = Call.random(2, 3, new Random(1));
    Arrays.fill(call.weights, 1);
    for (PolicyLossConfig bad :
        new PolicyLossConfig[] {
          new PolicyLossConfig(0, 0.2, 0.2, 3, 0, KlLoss.NONE, 0),
          new PolicyLossConfig(1, -0.1, 0.2, 3, 0, KlLoss.NONE, 0),
          new PolicyLossConfig(1, 0.2, Double.NaN, 3, 0, KlLoss.NONE, 0),
          new PolicyLossConfig(1, 0.2, 0.2, 1, 0, KlLoss.NONE, 0),
          new PolicyLossConfig(1, 0.2, 0.2, 3, Double.NaN, KlLoss.NONE, 0),
        }) {
      KernelException e = assertThrows(KernelException.class, () -> call.run(this, bad));
      assertFalse(e.notFinite(), e.getMessage());
    }
    call.targets[1] = 3;
    KernelException e = assertThrows(KernelException.class, () -> call.run(this, PLAIN));
    assertTrue(e.getMessage().contains("row 1"), e.getMessage());
  }

  private static void close(JsonNode expected, double actual, String where) {
    double value = SharedData.number(expected);
    assertEquals(value, actual, 2e-5 * Math.abs(value) + 1e-7, where);
  }

  private void close(double expected, double actual, String where) {
    assertEquals(expected, actual, tolerance() * (1 + Math.abs(expected)), where);
  }

  /** Outputs of one call. */
  record Result(PolicyLossSums sums, float[] gradient, float[] logprobs) {}

  /** Inputs of one call in float32. */
  final class Call {
    final int rows;
    final int cols;
    final float[] logits;
    long[] targets;
    float[] old;
    float[] ref;
    float[] advantages;
    float[] weights;
    boolean useOld = true;

    Call(int rows, int cols) {
      this.rows = rows;
      this.cols = cols;
      logits = new float[rows * cols];
      targets = new long[rows];
      old = new float[rows];
      ref = new float[rows];
      advantages = new float[rows];
      weights = new float[rows];
    }

    static Call random(int rows, int cols, Random random) {
      Call call = new Call(rows, cols);
      for (int i = 0; i < call.logits.length; i++) {
        call.logits[i] = (float) random.nextGaussian();
      }
      for (int r = 0; r < rows; r++) {
        call.targets[r] = random.nextInt(cols);
        call.old[r] = (float) (-Math.log(cols) + random.nextGaussian());
        call.ref[r] = (float) (-Math.log(cols) + random.nextGaussian());
        call.advantages[r] = (float) random.nextGaussian();
        call.weights[r] = random.nextFloat();
      }
      return call;
    }

    void setLogprobs(int row, double... values) {
      for (int j = 0; j < cols; j++) {
        logits[row * cols + j] = (float) values[j];
      }
    }

    Call withoutOld() {
      useOld = false;
      return this;
    }

    /** The row's loss with {@code h} added to one logit. */
    double loss(int row, int logit, double h, PolicyLossConfig config) {
      double[] x = new double[cols];
      for (int j = 0; j < cols; j++) {
        x[j] = logits[row * cols + j];
      }
      x[logit] += h;
      return weights[row]
          * ReferenceLoss.loss(x, (int) targets[row], old[row], ref[row], advantages[row], config);
    }

    Result run(KernelsUnderTest test, PolicyLossConfig config) {
      try (Buffers b = test.buffers()) {
        long data = b.floats(logits);
        long logprobs = b.floats(new float[rows]);
        PolicyLossSums sums =
            test.kernels()
                .policyLoss(
                    test.device(),
                    new Rows(data, rows, cols, cols, DType.FLOAT32),
                    b.longs(targets),
                    new TokenInputs(
                        useOld ? b.floats(old) : 0,
                        b.floats(ref),
                        b.floats(advantages),
                        b.floats(weights)),
                    config,
                    logprobs,
                    0);
        return new Result(sums, b.readFloats(data, logits.length), b.readFloats(logprobs, rows));
      }
    }
  }
}
