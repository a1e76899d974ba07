package org.hirengine.engine.update;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.config.ConfigException;
import org.hirengine.engine.config.OptimSection;
import org.hirengine.engine.config.OptimSection.Masters;
import org.hirengine.engine.config.SftConfig;
import org.hirengine.engine.experience.TrainingRow;
import org.hirengine.engine.model.ForwardPass.Activations;
import org.hirengine.engine.model.InitialWeights;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.PolicyFiles;
import org.hirengine.engine.runtime.NativeExecutor;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.KernelRegistry;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.MomentType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Masters and moments of fewer bits learn as well as float32 ones. */
class NarrowOptimizerTest {

  private static final int VOCABULARY = 96;
  private static final int UPDATES = 80;

  @TempDir Path temp;

  private final Kernels kernels = KernelRegistry.choose(Device.Kind.CPU);

  private static ModelConfig model() {
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.put("model_type", "qwen3").put("vocab_size", VOCABULARY).put("hidden_size", 64);
    json.put("intermediate_size", 128).put("num_hidden_layers", 2).put("head_dim", 16);
    json.put("num_attention_heads", 4).put("num_key_value_heads", 2);
    json.put("max_position_embeddings", 64).put("rms_norm_eps", 1e-6);
    json.put("initializer_range", 0.08).put("rope_theta", 10000.0);
    json.put("tie_word_embeddings", true);
    return ModelConfig.parse("small", json);
  }

  private static OptimSection optim(Masters masters, MomentType moments) {
    List<String> settings = new ArrayList<>(List.of("model=m", "data=d", "out=o"));
    settings.addAll(List.of("dtype=bfloat16", "optim.lr=3e-3"));
    settings.add("optim.masters=" + masters.name().toLowerCase(java.util.Locale.ROOT));
    settings.add("optim.moments=" + moments.name().toLowerCase(java.util.Locale.ROOT));
    return SftConfig.of(settings).optim();
  }

  /** Sequences with a rule to learn: most tokens follow from the one before. */
  private static List<TrainingRow> rows(SplittableRandom random) {
    List<TrainingRow> rows = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      int[] ids = new int[13];
      ids[0] = random.nextInt(VOCABULARY);
      for (int t = 1; t < ids.length; t++) {
        ids[t] =
            random.nextInt(10) == 0
                ? random.nextInt(VOCABULARY)
                : (5 * ids[t - 1] + 7) % VOCABULARY;
      }
      float[] advantages = new float[ids.length - 1];
      Arrays.fill(advantages, 1);
      rows.add(
          new TrainingRow(
              new int[] {ids[0]},
              Arrays.copyOfRange(ids, 1, ids.length),
              null,
              null,
              advantages,
              false));
    }
    return rows;
  }

  /** Cross-entropy, mean of the last ten updates. */
  private double learn(Masters masters, MomentType moments) {
    Policy.Options options =
        new Policy.Options(Device.CPU, DType.BFLOAT16, true, masters == Masters.SPLIT);
    try (NativeExecutor executor = new NativeExecutor(2)) {
      return executor.call(
          () -> {
            try (Policy policy = InitialWeights.random(model(), options, 3);
                Optimizer optimizer =
                    new Optimizer(policy, kernels, optim(masters, moments), UPDATES)) {
              PolicyUpdate update =
                  new PolicyUpdate(
                      policy,
                      kernels,
                      PolicyLoss.CROSS_ENTROPY,
                      new PolicyUpdate.Budget(512, true, 1 << 20, Activations.KEEP),
                      optimizer);
              SplittableRandom random = new SplittableRandom(1);
              double last = 0;
              for (int i = 0; i < UPDATES; i++) {
                double logprob = -update.update(rows(random)).all().logprob();
                last += i >= UPDATES - 10 ? logprob / 10 : 0;
              }
              return last;
            }
          });
    }
  }

  @ParameterizedTest
  @CsvSource({"SPLIT, FLOAT32", "SPLIT, BFLOAT16", "FLOAT32, BFLOAT16", "SPLIT, INT8"})
  void learnsAsFloat32Does(Masters masters, MomentType moments) {
    double wide = learn(Masters.FLOAT32, MomentType.FLOAT32);
    double narrow = learn(masters, moments);
    // From log 96 = 4.56 at the start.
    assertTrue(wide < 2.5, "float32 itself has not learnt: " + wide);
    assertEquals(wide, narrow, 0.06 * wide);
  }

  /** Split masters are stored in another way only: one update gives the same numbers. */
  @Test
  void splitMastersAreTheMasters() {
    try (NativeExecutor executor = new NativeExecutor(2)) {
      executor.run(
          () -> {
            Policy.Options split = new Policy.Options(Device.CPU, DType.BFLOAT16, true, true);
            Policy.Options whole = new Policy.Options(Device.CPU, DType.BFLOAT16, true);
            try (Policy one = InitialWeights.random(model(), whole, 5);
                Policy two = InitialWeights.random(model(), split, 5);
                Optimizer a =
                    new Optimizer(one, kernels, optim(Masters.FLOAT32, MomentType.FLOAT32), 9);
                Optimizer b =
                    new Optimizer(two, kernels, optim(Masters.SPLIT, MomentType.FLOAT32), 9)) {
              assertSameMasters(one, two);
              float[] gradient = new float[(int) one.size()];
              SplittableRandom random = new SplittableRandom(2);
              for (int i = 0; i < gradient.length; i++) {
                gradient[i] = (float) random.nextGaussian();
              }
              for (Policy policy : List.of(one, two)) {
                policy.gradients().data_ptr_float().put(gradient, 0, gradient.length);
              }
              a.step(1);
              b.step(1);
              assertSameMasters(one, two);
              assertThrows(IllegalStateException.class, two::masters);

              PolicyFiles.save(two, DType.FLOAT32, temp);
              try (Policy again = PolicyFiles.load(temp, split)) {
                assertSameMasters(one, again);
              }
            }
          });
    }
  }

  private static void assertSameMasters(Policy one, Policy two) {
    for (String name : one.parameters().keySet()) {
      assertArrayEquals(values(one, name), values(two, name), name);
    }
  }

  private static float[] values(Policy policy, String name) {
    try (Tensor master = policy.master(name)) {
      return Tensors.floats(master);
    }
  }

  /** Embeddings, vectors and small matrices keep bfloat16 moments. */
  @Test
  void onlyLargeMatricesHaveEightBitMoments() {
    try (NativeExecutor executor = new NativeExecutor(1)) {
      executor.run(
          () -> {
            try (Policy policy =
                    InitialWeights.random(
                        model(), new Policy.Options(Device.CPU, DType.BFLOAT16, true), 5);
                Optimizer optimizer =
                    new Optimizer(policy, kernels, optim(Masters.FLOAT32, MomentType.INT8), 9)) {
              long wide = optimizer.moments("m_bfloat16").numel();
              long narrow = optimizer.moments("m").numel();
              assertEquals(policy.size(), wide + narrow);
              // Of each layer q (64 x 64), o, gate, up and down (64 x 128); k and v are smaller.
              assertEquals(2 * (2 * 4096 + 3 * 8192), narrow);
              long bytes = 0;
              for (String name : optimizer.momentNames()) {
                Tensor tensor = optimizer.moments(name);
                bytes += tensor.numel() * tensor.element_size();
              }
              assertEquals(
                  bytes,
                  Optimizer.momentBytes(
                      Policy.ranges(model(), Optimizer.LEAST_MATRIX), MomentType.INT8));
            }
          });
    }
  }

  @Test
  void splitMastersNeedNarrowWeights() {
    ConfigException e =
        assertThrows(
            ConfigException.class,
            () -> SftConfig.of(List.of("model=m", "data=d", "out=o", "optim.masters=split")));
    assertTrue(e.getMessage().contains("bfloat16"), e.getMessage());
  }
}
