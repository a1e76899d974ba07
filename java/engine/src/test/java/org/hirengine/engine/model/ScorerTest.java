package org.hirengine.engine.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.hirengine.engine.model.ForwardPass.Activations;
import org.hirengine.engine.model.ResponseBatch.Sequence;
import org.hirengine.engine.model.Scorer.Scores;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ScorerTest {

  private static final int VOCABULARY = 53;

  private static Kernels kernels;

  @BeforeAll
  static void load() {
    kernels = NativeRuntime.kernels(Device.Kind.CPU);
  }

  @ParameterizedTest
  @CsvSource({
    "qwen2-mini, 1, ''",
    "qwen3-mini, 1, ''",
    "llama3-mini, 1, ''",
    "qwen2-mini, 0.7, _t0.7",
    "qwen3-mini, 0.7, _t0.7",
    "llama3-mini, 0.7, _t0.7",
    "mistral-mini, 1, ''",
    "qwen2-window-mini, 0.7, _t0.7",
    "qwen2-tiny, 1, ''",
    "qwen3-tiny, 1, ''",
    "llama3-tiny, 1, ''",
    "qwen2-tiny, 0.7, _t0.7",
    "qwen3-tiny, 0.7, _t0.7",
    "llama3-tiny, 0.7, _t0.7",
  })
  void logprobsAndEntropiesOfTheGoldenModels(String folder, double temperature, String suffix) {
    try (GoldenModel golden = GoldenModel.open(folder);
        Policy policy = GoldenModelTest.load(folder, "config.json", Policy.Options.FROZEN)) {
      float[] logprobs = golden.floats("logprobs" + suffix);
      float[] entropies = golden.floats("entropy" + suffix);
      List<Sequence> sequences = new ArrayList<>();
      for (int row = 0; row < GoldenModel.ROWS; row++) {
        int[] ids = golden.tokens(row);
        sequences.add(Sequence.of(new int[] {ids[0]}, Arrays.copyOfRange(ids, 1, ids.length)));
      }
      // Memory for three rows of logits: where logits are stored, the head then runs in many
      // chunks.
      Scorer scorer = new Scorer(policy, kernels, 3 * 512 * 4);
      List<Scores> scores = scorer.score(sequences, temperature, 1000, false);
      for (int row = 0; row < 2; row++) {
        int first = 27 * row + golden.first()[row];
        int end = 27 * (row + 1);
        assertArrayEquals(
            Arrays.copyOfRange(logprobs, first, end), scores.get(row).logprobs(), 1e-4f);
        assertArrayEquals(
            Arrays.copyOfRange(entropies, first, end), scores.get(row).entropies(), 1e-4f);
      }
      SharedData.counted("golden/models logprobs", 2);
    }
  }

  /** Groups of equal prompts between single ones, of length 1 and more. */
  private static List<Sequence> sequences(int seed) {
    Random random = new Random(seed);
    List<Sequence> sequences = new ArrayList<>();
    for (int group = 0; group < 6; group++) {
      int[] prompt = TestModels.tokens(random, 1 + random.nextInt(20), VOCABULARY);
      for (int i = 0; i < 1 + random.nextInt(5); i++) {
        int length = random.nextInt(4) == 0 ? 1 : 1 + random.nextInt(25);
        sequences.add(Sequence.of(prompt, TestModels.tokens(random, length, VOCABULARY)));
      }
    }
    return sequences;
  }

  @ParameterizedTest
  @ValueSource(strings = {"qwen2", "qwen3", "llama", "mistral"})
  void sharedPromptsAndMicroBatchesChangeNothing(String type) {
    try (Policy policy =
        InitialWeights.random(TestModels.config(type, VOCABULARY, 0.3), Policy.Options.FROZEN, 3)) {
      Scorer scorer = new Scorer(policy, kernels);
      List<Sequence> sequences = sequences(type.length());
      List<Scores> alone = new ArrayList<>();
      for (Sequence sequence : sequences) {
        alone.addAll(scorer.score(List.of(sequence), 0.9, 1, false));
      }
      for (int maxTokens : new int[] {1, 60, 100_000}) {
        for (boolean share : new boolean[] {false, true}) {
          List<Scores> scores = scorer.score(sequences, 0.9, maxTokens, share);
          assertEquals(sequences.size(), scores.size());
          for (int i = 0; i < scores.size(); i++) {
            assertEquals(sequences.get(i).response().length, scores.get(i).logprobs().length);
            assertArrayEquals(alone.get(i).logprobs(), scores.get(i).logprobs(), 2e-5f);
            assertArrayEquals(alone.get(i).entropies(), scores.get(i).entropies(), 2e-5f);
          }
        }
      }
    }
  }

  /** The same bits with logits in memory, a few rows at a time, or without logits. */
  @ParameterizedTest
  @EnumSource(DType.class)
  void scoresOfHiddenStatesAreThoseOfLogits(DType dtype) {
    Kernels overLogits =
        (Kernels)
            Proxy.newProxyInstance(
                Kernels.class.getClassLoader(),
                new Class<?>[] {Kernels.class},
                (self, method, arguments) ->
                    method.getName().equals("runModels")
                        ? false
                        : method.invoke(kernels, arguments));
    Policy.Options options = new Policy.Options(Device.CPU, dtype, false);
    try (Policy policy =
        InitialWeights.random(TestModels.config("qwen3", VOCABULARY, 0.3), options, 3)) {
      assumeTrue(policy.passes().scoresHidden(), "these kernels score logits");
      List<Sequence> sequences = sequences(5);
      List<Scores> direct = new Scorer(policy, kernels).score(sequences, 0.8, 100, true);
      long threeRows = 3 * VOCABULARY * 4;
      List<Scores> stored =
          new Scorer(policy, overLogits, threeRows).score(sequences, 0.8, 100, true);
      for (int i = 0; i < sequences.size(); i++) {
        assertArrayEquals(stored.get(i).logprobs(), direct.get(i).logprobs(), 0f);
        assertArrayEquals(stored.get(i).entropies(), direct.get(i).entropies(), 0f);
      }
    }
  }

  @Test
  void sharedPromptsAreComputedOnce() {
    Sequence one = Sequence.of(new int[] {1, 2, 3}, new int[] {4, 5});
    Sequence two = Sequence.of(new int[] {1, 2, 3}, new int[] {6});
    Sequence three = Sequence.of(new int[] {1, 2}, new int[] {7, 8});
    ResponseBatch whole = ResponseBatch.pack(List.of(one, two, three), false);
    assertArrayEquals(new int[] {1, 2, 3, 4, 1, 2, 3, 1, 2, 7}, whole.packed().ids());
    assertArrayEquals(new int[] {2, 3, 6, 8, 9}, whole.rows());
    ResponseBatch shared = ResponseBatch.pack(List.of(one, two, three), true);
    assertArrayEquals(new int[] {1, 2, 3, 4, 1, 2, 7}, shared.packed().ids());
    assertArrayEquals(new int[] {3, 1, 3}, shared.packed().lengths());
    assertArrayEquals(new int[] {-1, 0, -1}, shared.packed().prefixes());
    assertArrayEquals(new int[] {2, 3, 2, 5, 6}, shared.rows());
    assertArrayEquals(new int[] {4, 5, 6, 7, 8}, shared.targets());
    assertArrayEquals(new int[] {0, 2, 3, 5}, shared.offsets());
  }

  @ParameterizedTest
  @CsvSource({
    "qwen2, KEEP",
    "qwen3, KEEP",
    "qwen3, RECOMPUTE",
    "llama, KEEP",
    "mistral, RECOMPUTE"
  })
  void gradientsWithSharedPromptsAreThoseOfWholeSequences(String type, Activations activations) {
    ModelConfig config = TestModels.config(type, VOCABULARY, 0.2);
    List<Sequence> sequences = sequences(11);
    try (Policy whole = InitialWeights.random(config, Policy.Options.TRAINABLE, 4);
        Policy shared = InitialWeights.random(config, Policy.Options.TRAINABLE, 4)) {
      weightedBackward(whole, ResponseBatch.pack(sequences, false), Activations.KEEP);
      weightedBackward(shared, ResponseBatch.pack(sequences, true), activations);
      whole
          .parameterGradients()
          .forEach(
              (name, gradient) -> {
                float[] want = Tensors.floats(gradient);
                double norm = Math.sqrt(GoldenModelTest.squares(want));
                assertTrue(norm > 0, name);
                assertArrayEquals(
                    want,
                    Tensors.floats(shared.parameterGradients().get(name)),
                    (float) (1e-5 * norm),
                    name);
              });
    }
  }

  /** Gradient of a sum of log-probs in which each response token has its own weight. */
  private static void weightedBackward(
      Policy policy, ResponseBatch batch, Activations activations) {
    try (PointerScope scope = new PointerScope();
        ForwardPass pass = policy.passes().forward(batch.packed(), activations)) {
      Tensor rows = Tensors.ofInts(batch.rows());
      Tensor hidden = pass.hidden().index_select(0, rows);
      Tensor logits = policy.passes().logits(hidden);
      Tensor targets = Tensors.ofInts(batch.targets());
      float[] weights = new float[batch.responseTokens()];
      for (int i = 0; i < weights.length; i++) {
        weights[i] = (float) Math.sin(i + 1);
      }
      Tensor weight = Tensors.of(weights).unsqueeze(1);
      Tensor oneHot = torch.one_hot(targets, policy.config().vocabSize());
      Tensor gradient = oneHot.sub(torch.softmax(logits, 1)).mul(weight);
      Tensor hiddenGradient = torch.zeros_like(pass.hidden());
      hiddenGradient.index_add_(0, rows, policy.passes().headBackward(gradient, hidden));
      pass.backward(hiddenGradient);
    }
  }

  @Test
  void refusesTokensOutsideOfTheVocabularyAndSequencesTooLong() {
    try (Policy policy =
        InitialWeights.random(
            TestModels.config("qwen3", VOCABULARY, 0.1), Policy.Options.FROZEN, 1)) {
      Scorer scorer = new Scorer(policy, kernels);
      for (int bad : new int[] {-1, VOCABULARY}) {
        for (Sequence sequence :
            List.of(
                Sequence.of(new int[] {bad}, new int[] {1}),
                Sequence.of(new int[] {1}, new int[] {2, bad}))) {
          ResponseBatch batch = ResponseBatch.pack(List.of(sequence), false);
          IllegalArgumentException e =
              assertThrows(IllegalArgumentException.class, () -> scorer.score(batch, 1));
          assertTrue(e.getMessage().contains("vocabulary of 53"), e.getMessage());
        }
      }
      ResponseBatch longest =
          ResponseBatch.pack(List.of(Sequence.of(new int[1], new int[257])), false);
      assertThrows(IllegalArgumentException.class, () -> scorer.score(longest, 1));
      assertThrows(
          IllegalStateException.class,
          () -> policy.passes().forward(longest.packed(), Activations.KEEP));
    }
  }
}
