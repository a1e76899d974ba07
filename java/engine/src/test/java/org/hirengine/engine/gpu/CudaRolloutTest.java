package org.hirengine.engine.gpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.hirengine.engine.libtorch.LibTorchKernelProvider;
import org.hirengine.engine.model.InitialWeights;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.ResponseBatch.Sequence;
import org.hirengine.engine.model.Scorer;
import org.hirengine.engine.model.TestModels;
import org.hirengine.engine.rollout.Completion;
import org.hirengine.engine.rollout.Prompt;
import org.hirengine.engine.rollout.RandomStream;
import org.hirengine.engine.rollout.RolloutEngine;
import org.hirengine.engine.rollout.RolloutParams;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Decoding on a GPU by recorded graphs, compared with LibTorch's operators there and with the CPU.
 */
@Tag("gpu")
class CudaRolloutTest {

  private static final int VOCABULARY = 61;
  private static final RandomStream STREAM = new RandomStream(42, RandomStream.TRAINING, 7);

  private static Kernels kernels;

  @BeforeAll
  static void needsAGpu() {
    kernels = Gpu.kernels();
  }

  private static Policy policy(String type, Device device, DType dtype, double scale) {
    Policy.Options options = new Policy.Options(device, dtype, false);
    return InitialWeights.random(TestModels.config(type, VOCABULARY, scale), options, 5);
  }

  /** Enough rows for several buckets, which end at different times. */
  private static List<Prompt> prompts() {
    Random random = new Random(4);
    List<Prompt> prompts = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      prompts.add(new Prompt(i, TestModels.tokens(random, 1 + random.nextInt(40), VOCABULARY)));
    }
    return prompts;
  }

  private static List<Completion> sample(Policy policy, Kernels with, RolloutParams params) {
    try (RolloutEngine engine = new RolloutEngine(policy, with, Set.of(3, 17))) {
      return engine.generate(prompts(), 5, 0, params, STREAM);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"qwen2", "qwen3", "llama"})
  void graphsDecodeWhatOperatorsAndTheCpuDecode(String type) {
    RolloutParams params = RolloutParams.sampling(24, 0.8);
    try (Policy there = policy(type, Gpu.DEVICE, DType.FLOAT32, 0.3);
        Policy here = policy(type, Device.CPU, DType.FLOAT32, 0.3)) {
      List<Completion> graphs = sample(there, kernels, params);
      Kernels operators = new LibTorchKernelProvider().kernels();
      assertNear(sample(there, operators, params), graphs);
      assertNear(sample(here, NativeRuntime.kernels(Device.Kind.CPU), params), graphs);
    }
  }

  /** One row may differ: a uniform at the edge of a token's share may fall on the other side. */
  private static void assertNear(List<Completion> expected, List<Completion> found) {
    assertEquals(expected.size(), found.size());
    int differ = 0;
    for (int i = 0; i < expected.size(); i++) {
      if (Arrays.equals(expected.get(i).tokens(), found.get(i).tokens())) {
        assertArrayEquals(expected.get(i).logprobs(), found.get(i).logprobs(), 1e-4f, "row " + i);
      } else {
        differ++;
      }
    }
    assertTrue(differ <= 1, differ + " of " + expected.size() + " rows differ");
  }

  @Test
  void graphsAreUsedAgainAndFollowTheWeights() {
    RolloutParams params = RolloutParams.sampling(24, 1);
    try (Policy policy = policy("qwen3", Gpu.DEVICE, DType.FLOAT32, 0.3);
        RolloutEngine engine = new RolloutEngine(policy, kernels, Set.of(3))) {
      List<Completion> first = engine.generate(prompts(), 5, 0, params, STREAM);
      List<Completion> again = engine.generate(prompts(), 5, 0, params, STREAM);
      for (int i = 0; i < first.size(); i++) {
        assertArrayEquals(first.get(i).tokens(), again.get(i).tokens());
        assertArrayEquals(first.get(i).logprobs(), again.get(i).logprobs());
      }
      policy.masters().zero_(); // every token is now as likely as any other
      policy.syncCompute();
      double even = -Math.log(VOCABULARY);
      for (Completion completion : engine.generate(prompts(), 5, 0, params, STREAM)) {
        for (float logprob : completion.logprobs()) {
          assertEquals(even, logprob, 1e-5);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"FLOAT32", "BFLOAT16"})
  void decodingAgreesWithScoring(DType dtype) {
    try (Policy policy = policy("qwen3", Gpu.DEVICE, dtype, 0.1)) {
      List<Completion> completions = sample(policy, kernels, RolloutParams.sampling(24, 1));
      List<Prompt> prompts = prompts();
      List<Sequence> sequences = new ArrayList<>();
      for (Completion c : completions) {
        sequences.add(Sequence.of(prompts.get(c.promptId()).tokens(), c.tokens()));
      }
      List<Scorer.Scores> scores = new Scorer(policy, kernels).score(sequences, 1, 300, true);
      double sum = 0;
      int count = 0;
      for (int i = 0; i < scores.size(); i++) {
        float[] decoded = completions.get(i).logprobs();
        for (int t = 0; t < decoded.length; t++, count++) {
          sum += Math.abs(decoded[t] - scores.get(i).logprobs()[t]);
        }
      }
      double bound = dtype == DType.BFLOAT16 ? 0.03 : 2e-5;
      assertTrue(sum / count < bound, "mean |d logprob| " + sum / count);
    }
  }
}
