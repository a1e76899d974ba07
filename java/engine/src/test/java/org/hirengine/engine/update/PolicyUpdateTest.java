package org.hirengine.engine.update;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.algo.LossAggregation;
import org.hirengine.engine.config.OptimSection;
import org.hirengine.engine.config.SftConfig;
import org.hirengine.engine.experience.TrainingRow;
import org.hirengine.engine.model.ForwardPass.Activations;
import org.hirengine.engine.model.InitialWeights;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.runtime.NativeExecutor;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.KernelException;
import org.hirengine.kernels.KernelRegistry;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.Kernels.KlLoss;
import org.hirengine.kernels.Kernels.PolicyLossConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class PolicyUpdateTest {

  private static final PolicyLossConfig PPO =
      new PolicyLossConfig(1, 0.2, 0.2, 3, 0, KlLoss.NONE, 0);

  private final Kernels kernels = KernelRegistry.choose(Device.Kind.CPU);

  private static ModelConfig model() {
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.put("model_type", "qwen3").put("vocab_size", 20).put("hidden_size", 16);
    json.put("intermediate_size", 24).put("num_hidden_layers", 2).put("head_dim", 4);
    json.put("num_attention_heads", 2).put("num_key_value_heads", 1);
    json.put("max_position_embeddings", 32).put("rms_norm_eps", 1e-6);
    json.put("rope_theta", 10000.0).put("tie_word_embeddings", true);
    return ModelConfig.parse("tiny", json);
  }

  private static OptimSection optim(String... settings) {
    List<String> all = new ArrayList<>(List.of("model=m", "data=d", "out=o"));
    all.addAll(List.of(settings));
    return SftConfig.of(all).optim();
  }

  private PolicyUpdate update(Policy policy, Optimizer optimizer) {
    return update(policy, kernels, optimizer);
  }

  private static PolicyUpdate update(Policy policy, Kernels kernels, Optimizer optimizer) {
    return new PolicyUpdate(
        policy,
        kernels,
        new PolicyLoss(PPO, LossAggregation.TOKEN_MEAN, 1),
        new PolicyUpdate.Budget(64, true, 1 << 20, Activations.KEEP),
        optimizer);
  }

  private static TrainingRow row(float advantage) {
    float[] advantages = {1, advantage, -1};
    return new TrainingRow(
        new int[] {1, 2}, new int[] {3, 4, 5}, new float[] {-3, -3, -3}, null, advantages, false);
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
  void anUpdateThatIsNotFiniteChangesNothing(float bad) {
    try (NativeExecutor executor = new NativeExecutor(1)) {
      executor.run(
          () -> {
            try (Policy policy = InitialWeights.random(model(), Policy.Options.TRAINABLE, 3);
                Optimizer optimizer = new Optimizer(policy, kernels, optim("optim.lr=0.1"), 9)) {
              PolicyUpdate update = update(policy, optimizer);
              float[] before = Tensors.floats(policy.masters());
              UpdateReport report = update.update(List.of(row(1), row(bad)));
              assertTrue(report.failed());
              assertEquals(1, report.skipped());
              assertEquals(0, report.made());
              assertArrayEquals(before, Tensors.floats(policy.masters()));
              assertEquals(0, optimizer.updates());
              // It leaves nothing behind for the next update.
              assertFalse(update.update(List.of(row(1))).failed());
              assertArrayEquals(stepped(), Tensors.floats(policy.masters()));
            }
          });
    }
  }

  /** The weights of a fresh policy after one update. */
  private float[] stepped() {
    try (Policy policy = InitialWeights.random(model(), Policy.Options.TRAINABLE, 3);
        Optimizer optimizer = new Optimizer(policy, kernels, optim("optim.lr=0.1"), 9)) {
      float[] before = Tensors.floats(policy.masters());
      assertEquals(1, update(policy, optimizer).update(List.of(row(1))).made());
      float[] after = Tensors.floats(policy.masters());
      assertFalse(Arrays.equals(before, after));
      return after;
    }
  }

  /** Out of memory or a failed device ends the run: a skipped update would hide it. */
  @ParameterizedTest
  @EnumSource(KernelException.Reason.class)
  void aDeviceFaultIsNotSkipped(KernelException.Reason reason) {
    Kernels failing =
        (Kernels)
            Proxy.newProxyInstance(
                Kernels.class.getClassLoader(),
                new Class<?>[] {Kernels.class},
                (proxy, method, arguments) -> {
                  throw new KernelException(reason, "policy_loss: as the test wants it");
                });
    try (NativeExecutor executor = new NativeExecutor(1)) {
      executor.run(
          () -> {
            try (Policy policy = InitialWeights.random(model(), Policy.Options.TRAINABLE, 3);
                Optimizer optimizer = new Optimizer(policy, kernels, optim("optim.lr=0.1"), 9)) {
              PolicyUpdate update = update(policy, failing, optimizer);
              if (reason == KernelException.Reason.NOT_FINITE) {
                assertTrue(update.update(List.of(row(1))).failed());
                assertTrue(Double.isNaN(update.gradientNorm(row(1))));
              } else {
                for (Runnable call :
                    List.<Runnable>of(
                        () -> update.update(List.of(row(1))), () -> update.gradientNorm(row(1)))) {
                  KernelException e = assertThrows(KernelException.class, call::run);
                  assertEquals(reason, e.reason());
                }
              }
              for (float gradient : Tensors.floats(policy.gradients())) {
                assertEquals(0, gradient);
              }
            }
          });
    }
  }

  /** A row without old log-probs among rows with them is an error, not a row of zeros. */
  @Test
  void oldLogprobsAreGivenForAllRowsOrNone() {
    TrainingRow without =
        new TrainingRow(new int[] {1, 2}, new int[] {6}, null, null, new float[] {1}, false);
    try (NativeExecutor executor = new NativeExecutor(1)) {
      executor.run(
          () -> {
            try (Policy policy = InitialWeights.random(model(), Policy.Options.TRAINABLE, 3);
                Optimizer optimizer = new Optimizer(policy, kernels, optim("optim.lr=0.1"), 9)) {
              PolicyUpdate update = update(policy, optimizer);
              IllegalArgumentException e =
                  assertThrows(
                      IllegalArgumentException.class,
                      () -> update.update(List.of(row(1), without)));
              assertTrue(e.getMessage().contains("1 of 2 rows"), e.getMessage());
            }
          });
    }
  }

  /** Clipped AdamW with a warm-up against the formula in double, in both compute types. */
  @ParameterizedTest
  @ValueSource(strings = {"FLOAT32", "BFLOAT16"})
  void stepsLikeTheFormula(String compute) {
    OptimSection config =
        optim("optim.lr=0.02", "optim.warmup=3", "optim.clip=0.5", "optim.weight_decay=0.1");
    Policy.Options options = new Policy.Options(Device.CPU, DType.valueOf(compute), true);
    try (NativeExecutor executor = new NativeExecutor(1)) {
      executor.run(
          () -> {
            try (Policy policy = InitialWeights.random(model(), options, 3);
                Optimizer optimizer = new Optimizer(policy, kernels, config, 10)) {
              Random random = new Random(1);
              float[] start = Tensors.floats(policy.masters());
              int n = start.length;
              double[] weights = new double[n];
              double[] m = new double[n];
              double[] v = new double[n];
              for (int i = 0; i < n; i++) {
                weights[i] = start[i];
              }
              for (int step = 1; step <= 5; step++) {
                float[] gradient = new float[n];
                double squares = 0;
                double scale = step == 2 ? 1e-4 : 0.1; // the second one stays unclipped
                for (int i = 0; i < n; i++) {
                  gradient[i] = (float) (scale * random.nextGaussian());
                  squares += (double) gradient[i] * gradient[i];
                }
                try (Tensor values = Tensors.of(gradient)) {
                  policy.gradients().copy_(values);
                }
                double norm = Math.sqrt(squares);
                double measured = optimizer.gradientNorm();
                assertEquals(norm, measured, 1e-9 * norm);
                optimizer.step(measured);
                double factor = Math.min(1, 0.5 / (norm + 1e-6));
                double lr = 0.02 * Math.min(1, step / 3.0);
                assertEquals(lr, optimizer.learningRate(), 1e-15);
                for (int i = 0; i < n; i++) {
                  double g = gradient[i] * factor;
                  m[i] = 0.9 * m[i] + 0.1 * g;
                  v[i] = 0.999 * v[i] + 0.001 * g * g;
                  double hat = m[i] / (1 - Math.pow(0.9, step));
                  double root = Math.sqrt(v[i] / (1 - Math.pow(0.999, step))) + 1e-8;
                  weights[i] = weights[i] * (1 - lr * 0.1) - lr * hat / root;
                }
              }
              float[] actual = Tensors.floats(policy.masters());
              for (int i = 0; i < n; i++) {
                assertEquals(weights[i], actual[i], 2e-6, "element " + i);
              }
              if (policy.lowPrecision() != null) {
                float[] low = Tensors.floats(policy.lowPrecision().to(ScalarType.Float));
                for (int i = 0; i < n; i++) {
                  assertEquals(actual[i], low[i], Math.abs(actual[i]) / 256 + 1e-30);
                }
              }
            }
          });
    }
  }

  /** Training in bf16 learns what fp32 learns. */
  @Test
  void bf16FollowsFp32() {
    double[] losses = new double[2];
    for (DType compute : DType.values()) {
      Policy.Options options = new Policy.Options(Device.CPU, compute, true);
      try (NativeExecutor executor = new NativeExecutor(1)) {
        executor.run(
            () -> {
              try (Policy policy = InitialWeights.random(model(), options, 3);
                  Optimizer optimizer =
                      new Optimizer(policy, kernels, optim("optim.lr=1e-2"), 40)) {
                PolicyUpdate update = update(policy, optimizer);
                TrainingRow pair =
                    new TrainingRow(
                        new int[] {1, 2},
                        new int[] {3, 4, 5, 6},
                        null,
                        null,
                        new float[] {1, 1, 1, 1},
                        false);
                for (int i = 0; i < 40; i++) {
                  UpdateReport report = update.update(List.of(pair));
                  losses[compute.ordinal()] = -report.originals().logprob();
                }
              }
            });
      }
    }
    assertTrue(losses[0] < 0.1, Arrays.toString(losses));
    assertEquals(losses[0], losses[1], 0.05);
  }
}
