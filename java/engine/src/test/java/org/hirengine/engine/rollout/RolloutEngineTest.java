package org.hirengine.engine.rollout;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.bytedeco.pytorch.Scalar;
import org.hirengine.engine.model.GoldenModel;
import org.hirengine.engine.model.InitialWeights;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.PolicyFiles;
import org.hirengine.engine.model.ResponseBatch;
import org.hirengine.engine.model.ResponseBatch.Sequence;
import org.hirengine.engine.model.Scorer;
import org.hirengine.engine.model.Scorer.Scores;
import org.hirengine.engine.model.TestModels;
import org.hirengine.engine.rollout.Completion.FinishReason;
import org.hirengine.engine.rollout.RolloutEngine.Limits;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RolloutEngineTest {

  private static final int VOCABULARY = 61;

  /** The kernels that decode; LibTorchRolloutEngineTest overrides it. */
  static Kernels kernels;

  /**
   * Tolerance between log-probs of decoding and scoring, and of decoding alone and beside others.
   */
  static Map<DType, Float> bounds;

  @BeforeAll
  static void load() {
    kernels = NativeRuntime.kernels(Device.Kind.CPU);
    bounds = Map.of(DType.FLOAT32, 0f, DType.BFLOAT16, 0f);
  }

  private static Policy policy(String type) {
    return InitialWeights.random(
        TestModels.config(type, VOCABULARY, 0.3), Policy.Options.FROZEN, type.hashCode());
  }

  private static List<Prompt> prompts(int count) {
    Random random = new Random(count);
    List<Prompt> prompts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      prompts.add(
          new Prompt(100 + i, TestModels.tokens(random, 1 + random.nextInt(40), VOCABULARY)));
    }
    return prompts;
  }

  private static final RandomStream STREAM = new RandomStream(42, RandomStream.TRAINING, 7);

  @ParameterizedTest
  @ValueSource(
      strings = {
        "qwen3-mini",
        "qwen2-mini",
        "llama3-mini",
        "mistral-mini",
        "qwen2-window-mini",
        "qwen3-tiny",
        "qwen2-tiny",
        "llama3-tiny"
      })
  void greedyContinuationsOfTheGoldenModels(String folder) {
    try (GoldenModel golden = GoldenModel.open(folder);
        Policy policy = PolicyFiles.load(golden.folder(), Policy.Options.FROZEN);
        RolloutEngine engine = new RolloutEngine(policy, kernels, Set.of())) {
      long[] greedy = golden.longs("greedy_ids");
      List<Prompt> prompts = new ArrayList<>();
      for (int row = 0; row < GoldenModel.ROWS; row++) {
        prompts.add(new Prompt(row, golden.tokens(row)));
      }
      List<Completion> completions =
          engine.generate(prompts, 1, 0, RolloutParams.greedy(16), STREAM);
      for (int row = 0; row < 2; row++) {
        long[] found = Arrays.stream(completions.get(row).tokens()).asLongStream().toArray();
        assertArrayEquals(Arrays.copyOfRange(greedy, 16 * row, 16 * row + 16), found);
      }
      SharedData.counted("golden/models greedy", 2);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "qwen2, FLOAT32, 1.0",
    "qwen3, FLOAT32, 1.0",
    "llama, FLOAT32, 0.7",
    "qwen3, FLOAT32, 0",
    "qwen2, BFLOAT16, 1.0",
    "qwen3, BFLOAT16, 0.7",
    "llama, BFLOAT16, 0",
    "mistral, FLOAT32, 1.0",
    "mistral, BFLOAT16, 0.7"
  })
  void decodeLogprobsAreTheScorersLogprobs(String type, DType dtype, double temperature) {
    Policy.Options options = new Policy.Options(Device.CPU, dtype, false);
    try (Policy policy =
            InitialWeights.random(TestModels.config(type, VOCABULARY, 0.3), options, 3);
        RolloutEngine engine = new RolloutEngine(policy, kernels, Set.of(3))) {
      List<Prompt> prompts = prompts(9);
      List<Completion> completions =
          engine.generate(prompts, 5, 0, RolloutParams.sampling(30, temperature), STREAM);
      List<Sequence> sequences = sequences(prompts, completions);
      double scored = temperature == 0 ? 1 : temperature;
      for (boolean share : new boolean[] {true, false}) {
        List<Scores> scores = new Scorer(policy, kernels).score(sequences, scored, 500, share);
        for (int i = 0; i < scores.size(); i++) {
          assertArrayEquals(
              completions.get(i).logprobs(), scores.get(i).logprobs(), bounds.get(dtype));
        }
      }
    }
  }

  /** An embedding may have more rows than there are tokens; log-probs agree with scoring. */
  @ParameterizedTest
  @CsvSource({"1.0, 0", "0.7, 5", "0, 0"})
  void idsBeyondTheTokenizerAreNeverSampled(double temperature, int topK) {
    int tokens = VOCABULARY / 3;
    try (Policy policy = policy("qwen3");
        RolloutEngine engine = new RolloutEngine(policy, kernels, Set.of(3), tokens)) {
      List<Prompt> prompts = prompts(9);
      RolloutParams params = new RolloutParams(30, temperature, topK, 1, 0);
      List<Completion> completions = engine.generate(prompts, 5, 0, params, STREAM);
      for (Completion completion : completions) {
        assertTrue(Arrays.stream(completion.tokens()).allMatch(id -> id < tokens));
      }
      double scored = temperature == 0 ? 1 : temperature;
      List<Scores> scores =
          new Scorer(policy, kernels).score(sequences(prompts, completions), scored, 500, true);
      for (int i = 0; i < scores.size(); i++) {
        assertArrayEquals(
            completions.get(i).logprobs(), scores.get(i).logprobs(), bounds.get(DType.FLOAT32));
      }
    }
  }

  /** Engines that share prompts sample what a single engine would. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 64})
  void samplesWhatItClaims(int places) {
    RolloutParams params = RolloutParams.sampling(12, 1);
    List<Prompt> prompts = prompts(9);
    try (Policy policy = policy("qwen3");
        RolloutEngine engine =
            new RolloutEngine(
                policy,
                kernels,
                Set.of(3),
                VOCABULARY,
                new RolloutEngine.Limits(places, 1 << 30))) {
      List<Completion> all = engine.generate(prompts, 3, 0, params, STREAM);
      for (int bits : new int[] {0, 0b101010101, 0b010111001, 0b111111110, 0b100000000}) {
        List<Integer> asked = new ArrayList<>();
        List<Completion> some =
            engine.generate(
                new RolloutCall(prompts, 3, 0, params, STREAM)
                    .sharedWith(
                        4,
                        prompt -> {
                          asked.add(prompt);
                          return (bits >> prompt & 1) == 1;
                        }));
        assertEquals(9, asked.size()); // each one once
        assertEquals(9, Set.copyOf(asked).size());
        for (int i = 0; i < some.size(); i++) {
          if ((bits >> i / 3 & 1) == 0) {
            assertNull(some.get(i));
          } else {
            assertArrayEquals(all.get(i).tokens(), some.get(i).tokens());
            assertArrayEquals(
                all.get(i).logprobs(), some.get(i).logprobs(), bounds.get(DType.FLOAT32));
          }
        }
      }
    }
  }

  @Test
  void changedWeightsAreDecodedWith() {
    try (Policy policy = policy("qwen3");
        RolloutEngine engine = new RolloutEngine(policy, kernels, Set.of(3))) {
      List<Prompt> prompts = prompts(4);
      RolloutParams params = RolloutParams.sampling(12, 1);
      List<Completion> before = engine.generate(prompts, 2, 0, params, STREAM);
      try (GradMode off = GradMode.disabled();
          Scalar factor = new Scalar(0.9)) {
        policy.masters().mul_(factor);
      }
      policy.weightsChanged();
      List<Completion> after = engine.generate(prompts, 2, 0, params, STREAM);
      assertTrue(before.get(0).logprobs()[0] != after.get(0).logprobs()[0]);
      List<Scores> scores =
          new Scorer(policy, kernels).score(sequences(prompts, after), 1, 500, true);
      for (int i = 0; i < scores.size(); i++) {
        assertArrayEquals(
            after.get(i).logprobs(), scores.get(i).logprobs(), bounds.get(DType.FLOAT32));
      }
    }
  }

  private static List<Sequence> sequences(List<Prompt> prompts, List<Completion> completions) {
    List<Sequence> sequences = new ArrayList<>();
    for (Completion completion : completions) {
      Prompt prompt = prompts.get(completion.promptId() - prompts.get(0).id());
      sequences.add(Sequence.of(prompt.tokens(), completion.tokens()));
    }
    return sequences;
  }

  @ParameterizedTest
  @CsvSource({"qwen3, 1, 1", "qwen3, 7, 0.9", "llama, 16, 1", "mistral, 7, 1"})
  void aRowDoesNotDependOnWhatIsDecodedBesideIt(String type, int places, double topP) {
    try (Policy policy = policy(type);
        RolloutEngine all = new RolloutEngine(policy, kernels, Set.of(3, 4));
        RolloutEngine few =
            new RolloutEngine(
                policy,
                kernels,
                Set.of(4, 3),
                policy.config().vocabSize(),
                new Limits(places, 1L << 30))) {
      RolloutParams params = new RolloutParams(20, 0.8, 40, topP, 0.01);
      List<Prompt> prompts = prompts(16);
      List<Completion> together = all.generate(prompts, 4, 0, params, STREAM);
      assertEquals(64, together.size());
      assertSame(together, few.generate(prompts, 4, 0, params, STREAM));
      List<Prompt> turned = new ArrayList<>(prompts);
      Collections.reverse(turned);
      List<Completion> reversed = new ArrayList<>(few.generate(turned, 4, 0, params, STREAM));
      reversed.sort(
          (a, b) -> a.promptId() != b.promptId() ? a.promptId() - b.promptId() : a.row() - b.row());
      assertSame(together, reversed);
      for (int i = 0; i < 16; i += 5) {
        List<Completion> alone = few.generate(List.of(prompts.get(i)), 1, 2, params, STREAM);
        assertSame(List.of(together.get(4 * i + 2)), alone);
      }
    }
  }

  /** From a cache for a single row to one for all: rows wait, but none changes or is lost. */
  @ParameterizedTest
  @CsvSource({"qwen3, FLOAT32", "qwen2, BFLOAT16", "llama, FLOAT32"})
  void theCacheDoesNotChangeWhatIsSampled(String type, DType dtype) {
    assumeTrue(bounds.get(dtype) < 0.1, "LibTorch's bfloat16 products depend on the batch");
    Policy.Options options = new Policy.Options(Device.CPU, dtype, false);
    List<Prompt> prompts = prompts(14);
    int longest = prompts.stream().mapToInt(prompt -> prompt.tokens().length).max().orElseThrow();
    int[] lengths = new Random(9).ints(56, 1, 121).toArray();
    RolloutParams params = RolloutParams.sampling(120, 1);
    try (Policy policy =
        InitialWeights.random(TestModels.config(type, VOCABULARY, 0.3), options, 5)) {
      long bytes;
      try (Decoder decoder = Decoder.of(policy, kernels)) {
        bytes = decoder.pageBytes();
      }
      RolloutCall call =
          new RolloutCall(prompts, 4, 0, params, STREAM).limitedTo(index -> lengths[index]);
      List<Completion> all;
      try (RolloutEngine engine = engine(policy, 1000 * bytes)) {
        all = engine.generate(call);
        assertEquals(0, engine.preempted());
        assertEquals(0, engine.recomputed());
      }
      long least = Limits.pagesAlone(longest, 120);
      int preempted = 0;
      for (long pages : new long[] {least, least + 1, least + 3, 12, 17, 24, 40, 77, 150}) {
        try (RolloutEngine engine = engine(policy, pages * bytes)) {
          Map<Integer, List<Integer>> heard = new HashMap<>();
          List<Completion> found =
              engine.generate(
                  call.heardBy(
                      new RolloutListener() {
                        @Override
                        public void token(int promptId, int row, int token) {
                          heard
                              .computeIfAbsent(4 * (promptId - 100) + row, i -> new ArrayList<>())
                              .add(token);
                          assertTrue(engine.pages() <= pages, engine.pages() + " of " + pages);
                        }
                      }));
          assertSame(all, found, bounds.get(dtype));
          for (int i = 0; i < found.size(); i++) {
            Completion completion = found.get(i);
            assertEquals(
                Arrays.stream(completion.tokens(), 0, completion.textTokens()).boxed().toList(),
                heard.getOrDefault(i, List.of()),
                "heard of row " + i);
          }
          assertEquals(0, engine.pages());
          assertTrue(engine.recomputed() >= engine.preempted() - found.size());
          preempted += engine.preempted();
        }
      }
      // Without a decoder of its own, each row has all its memory from the start.
      assertEquals(bounds.get(DType.FLOAT32) == 0, preempted > 10, preempted + " preempted");
      try (RolloutEngine engine = engine(policy, least * bytes - 1)) {
        IllegalArgumentException e =
            assertThrows(IllegalArgumentException.class, () -> engine.generate(call));
        assertTrue(e.getMessage().startsWith("sampling.cache_gib: "), e.getMessage());
      }
    }
  }

  private static RolloutEngine engine(Policy policy, long cache) {
    return new RolloutEngine(
        policy, kernels, Set.of(3, 17), policy.config().vocabSize(), new Limits(256, cache));
  }

  private static void assertSame(List<Completion> expected, List<Completion> found) {
    assertSame(expected, found, bounds.get(DType.FLOAT32));
  }

  private static void assertSame(List<Completion> expected, List<Completion> found, float bound) {
    assertEquals(expected.size(), found.size());
    for (int i = 0; i < expected.size(); i++) {
      Completion want = expected.get(i);
      Completion got = found.get(i);
      assertEquals(want.promptId(), got.promptId());
      assertEquals(want.row(), got.row());
      assertArrayEquals(want.tokens(), got.tokens(), "row " + i);
      assertArrayEquals(want.logprobs(), got.logprobs(), bound);
      assertEquals(want.finishReason(), got.finishReason());
    }
  }

  @Test
  void extraSamplesContinueTheRowNumbers() {
    try (Policy policy = policy("qwen3");
        RolloutEngine engine = new RolloutEngine(policy, kernels, Set.of(3))) {
      RolloutParams params = RolloutParams.sampling(12, 1);
      List<Prompt> prompts = prompts(3);
      List<Completion> eight = engine.generate(prompts, 8, 0, params, STREAM);
      List<Completion> six = engine.generate(prompts, 6, 0, params, STREAM);
      List<Completion> two = engine.generate(prompts, 2, 6, params, STREAM);
      List<Completion> joined = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        joined.addAll(six.subList(6 * i, 6 * i + 6));
        joined.addAll(two.subList(2 * i, 2 * i + 2));
      }
      assertSame(eight, joined);
      Set<String> texts = new HashSet<>();
      eight.forEach(completion -> texts.add(Arrays.toString(completion.tokens())));
      assertTrue(texts.size() > 20, "rows repeat each other: " + texts.size() + " of 24 differ");
    }
  }

  @Test
  void streamsDifferBySeedPurposeAndStep() {
    try (Policy policy = policy("qwen3");
        RolloutEngine engine = new RolloutEngine(policy, kernels, Set.of())) {
      Set<String> texts = new HashSet<>();
      for (RandomStream stream :
          List.of(
              new RandomStream(1, 0, 0),
              new RandomStream(2, 0, 0),
              new RandomStream(1, 1, 0),
              new RandomStream(1, 0, 1))) {
        texts.add(
            Arrays.toString(
                engine
                    .generate(prompts(1), 1, 0, RolloutParams.sampling(30, 1), stream)
                    .get(0)
                    .tokens()));
      }
      assertEquals(4, texts.size());
    }
  }

  @Test
  void rowsEndAtStopIdsAndAtTheLimit() {
    try (Policy policy = policy("llama");
        RolloutEngine engine = new RolloutEngine(policy, kernels, Set.of(3, 17, 29))) {
      List<Completion> completions =
          engine.generate(prompts(12), 4, 0, RolloutParams.sampling(15, 1.5), STREAM);
      int stopped = 0;
      for (Completion completion : completions) {
        int[] tokens = completion.tokens();
        for (int i = 0; i < completion.textTokens(); i++) {
          assertTrue(!Set.of(3, 17, 29).contains(tokens[i]));
        }
        if (completion.finishReason() == FinishReason.STOP) {
          stopped++;
          assertTrue(Set.of(3, 17, 29).contains(tokens[tokens.length - 1]));
        } else {
          assertEquals(15, tokens.length);
        }
        assertEquals(tokens.length, completion.logprobs().length);
      }
      assertTrue(stopped > 5 && stopped < 48, stopped + " of 48 stopped");
    }
  }

  @Test
  void tellsItsListenerWhatItSamples() {
    try (Policy policy = policy("qwen3");
        RolloutEngine engine =
            new RolloutEngine(
                policy,
                kernels,
                Set.of(3, 17),
                policy.config().vocabSize(),
                new Limits(4, 1 << 30))) {
      Map<String, List<Integer>> told = new HashMap<>();
      Map<Integer, Completion> ended = new HashMap<>();
      List<Completion> completions =
          engine.generate(
              new RolloutCall(prompts(5), 3, 2, RolloutParams.sampling(15, 1.5), STREAM)
                  .heardBy(
                      new RolloutListener() {
                        @Override
                        public void token(int promptId, int row, int token) {
                          told.computeIfAbsent(promptId + "/" + row, key -> new ArrayList<>())
                              .add(token);
                        }

                        @Override
                        public void completed(int index, Completion completion) {
                          assertNull(ended.put(index, completion), "told twice");
                        }
                      }));
      assertEquals(15, ended.size());
      for (int i = 0; i < 15; i++) {
        Completion completion = completions.get(i);
        assertEquals(completion, ended.get(i));
        int[] text = Arrays.copyOf(completion.tokens(), completion.textTokens());
        assertEquals(
            Arrays.stream(text).boxed().toList(),
            told.getOrDefault(completion.promptId() + "/" + completion.row(), List.of()),
            "every token but the stop id");
      }
    }
  }

  @Test
  void refusesPromptsWithoutRoom() {
    try (Policy policy = policy("qwen2");
        RolloutEngine engine = new RolloutEngine(policy, kernels, Set.of())) {
      Prompt longest = new Prompt(77, new int[250]);
      RolloutParams fits = RolloutParams.greedy(6);
      assertEquals(1, engine.generate(List.of(longest), 1, 0, fits, STREAM).size());
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> engine.generate(List.of(longest), 1, 0, RolloutParams.greedy(7), STREAM));
      assertTrue(e.getMessage().contains("prompt 77"), e.getMessage());
      assertThrows(
          IllegalArgumentException.class,
          () -> engine.generate(List.of(new Prompt(1, new int[0])), 1, 0, fits, STREAM));
      assertThrows(
          IllegalArgumentException.class,
          () -> engine.generate(List.of(new Prompt(1, new int[] {61})), 1, 0, fits, STREAM));
    }
  }

  @Test
  void decodesInBfloat16CloseToScoring() {
    Policy.Options options = new Policy.Options(Device.CPU, DType.BFLOAT16, false);
    try (Policy policy =
            InitialWeights.random(TestModels.config("qwen3", VOCABULARY, 0.1), options, 5);
        RolloutEngine engine = new RolloutEngine(policy, kernels, Set.of(3))) {
      List<Prompt> prompts = prompts(6);
      List<Completion> completions =
          engine.generate(prompts, 4, 0, RolloutParams.sampling(20, 1), STREAM);
      ResponseBatch batch = ResponseBatch.pack(sequences(prompts, completions), true);
      float[] scored = new Scorer(policy, kernels).score(batch, 1).logprobs();
      double sum = 0;
      int at = 0;
      for (Completion completion : completions) {
        for (float logprob : completion.logprobs()) {
          sum += Math.abs(logprob - scored[at++]);
        }
      }
      assertTrue(sum / at < 0.03, "mean |d logprob| " + sum / at);
    }
  }
}
