package org.hirengine.engine.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.PolicyFiles;
import org.hirengine.engine.model.ResponseBatch.Sequence;
import org.hirengine.engine.model.Scorer;
import org.hirengine.engine.model.Scorer.Scores;
import org.hirengine.engine.rollout.Completion;
import org.hirengine.engine.rollout.Prompt;
import org.hirengine.engine.rollout.RandomStream;
import org.hirengine.engine.rollout.RolloutEngine;
import org.hirengine.engine.rollout.RolloutParams;
import org.hirengine.engine.rollout.StopIds;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.tokens.ChatTemplate;
import org.hirengine.engine.tokens.Tokenizer;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;
import org.hirengine.replay.Message;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole models in GGUF compared with transformers on the decoded weights. */
class GgufModelGoldenTest {

  private static final String SMOLLM = "models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
  private static final ObjectMapper JSON = new ObjectMapper();

  private static List<JsonNode> lines(String file) throws IOException {
    List<JsonNode> rows = new ArrayList<>();
    for (String line : Files.readAllLines(SharedData.require(file))) {
      rows.add(JSON.readTree(line));
    }
    return rows;
  }

  private static int[] ints(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::intValue).toArray();
  }

  private static float[] floats(JsonNode array) {
    float[] values = new float[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) array.get(i).doubleValue();
    }
    return values;
  }

  @Test
  void tokensOfNastyAndPlainTexts() throws IOException {
    List<JsonNode> rows = lines("models/smollm2/tokens.jsonl");
    try (Tokenizer tokenizer = Tokenizer.load(SharedData.require(SMOLLM))) {
      for (JsonNode row : rows) {
        String text = row.path("text").asText();
        assertArrayEquals(ints(row.path("ids")), tokenizer.encode(text), text);
      }
    }
    SharedData.counted("models/smollm2 texts", rows.size());
  }

  @Test
  void conversations() throws IOException {
    Path file = SharedData.require(SMOLLM);
    List<JsonNode> rows = lines("models/smollm2/chats.jsonl");
    ChatTemplate template = ChatTemplate.load(file);
    Kernels kernels = NativeRuntime.kernels(Device.Kind.CPU);
    try (Tokenizer tokenizer = Tokenizer.load(file);
        Policy policy = PolicyFiles.load(file, Policy.Options.FROZEN)) {
      Set<Integer> stops = StopIds.of(file, policy.config(), Set.of());
      assertEquals(Set.of(2), stops);
      Scorer scorer = new Scorer(policy, kernels);
      List<Prompt> prompts = new ArrayList<>();
      List<Sequence> sequences = new ArrayList<>();
      for (JsonNode row : rows) {
        List<Message> messages = new ArrayList<>();
        for (JsonNode m : row.path("messages")) {
          messages.add(new Message(m.path("role").asText(), m.path("content").asText()));
        }
        String text = template.render(messages, true, Map.of());
        assertEquals(row.path("text").asText(), text);
        int[] ids = tokenizer.encode(text);
        assertArrayEquals(ints(row.path("ids")), ids, text);
        prompts.add(new Prompt(prompts.size(), ids));
        int[] greedy = ints(row.path("greedy"));
        int[] response = Arrays.copyOf(Arrays.copyOfRange(ids, 1, ids.length), ids.length);
        response[ids.length - 1] = greedy[0];
        sequences.add(Sequence.of(new int[] {ids[0]}, response));
      }
      List<Scores> scores = scorer.score(sequences, 1, 4096, false);
      try (RolloutEngine engine = new RolloutEngine(policy, kernels, stops)) {
        List<Completion> completions =
            engine.generate(
                prompts,
                1,
                0,
                RolloutParams.greedy(96),
                new RandomStream(1, RandomStream.TRAINING, 0));
        for (int i = 0; i < rows.size(); i++) {
          JsonNode row = rows.get(i);
          float[] expected = floats(row.path("next_token_logprobs"));
          float[] logprobs = scores.get(i).logprobs();
          assertArrayEquals(expected, Arrays.copyOf(logprobs, expected.length), 2e-3f);
          float[] entropies = scores.get(i).entropies();
          double entropy = row.path("entropy_last").asDouble();
          assertEquals(entropy, entropies[entropies.length - 1], 1e-3);
          Completion completion = completions.get(i);
          assertArrayEquals(ints(row.path("greedy")), completion.tokens(), "greedy tokens of " + i);
          assertArrayEquals(floats(row.path("greedy_logprobs")), completion.logprobs(), 2e-3f);
          assertEquals(
              row.path("greedy_text").asText(), tokenizer.decode(completion.tokens(), true));
        }
      }
    }
    SharedData.counted("models/smollm2 conversations", rows.size());
  }

  /**
   * The reference numbers of one file were made with down projections rounded to half, which the
   * file does not have. The test below compares it with exact numbers.
   */
  private static float bound(Path file) {
    return file.endsWith("llama3-tiny.F32.gguf") ? 2e-3f : 2e-5f;
  }

  @ParameterizedTest
  @ValueSource(strings = {"qwen2-tiny", "qwen3-tiny", "llama3-tiny"})
  void float32FilesComputeWhatTheirFoldersDo(String name) {
    Path folder = SharedData.require("golden/models/" + name);
    Path file = SharedData.require("models/tiny/" + name + ".F32.gguf");
    int[] ids = new Random(5).ints(400, 0, 500).toArray();
    List<Sequence> sequences =
        List.of(Sequence.of(new int[] {ids[0]}, Arrays.copyOfRange(ids, 1, ids.length)));
    Kernels kernels = NativeRuntime.kernels(Device.Kind.CPU);
    try (Policy expected = PolicyFiles.load(folder, Policy.Options.FROZEN);
        Policy found = PolicyFiles.load(file, Policy.Options.FROZEN)) {
      assertEquals(expected.config().ropeScaling(), found.config().ropeScaling());
      assertEquals(expected.config().rmsNormEps(), found.config().rmsNormEps());
      assertEquals(expected.config().tied(), found.config().tied());
      assertArrayEquals(
          new Scorer(expected, kernels).score(sequences, 1, 4096, false).get(0).logprobs(),
          new Scorer(found, kernels).score(sequences, 1, 4096, false).get(0).logprobs());
    }
    SharedData.counted("models/tiny against folders", 1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"F32", "Q8_0"})
  void tinyModelsOfEachFamily(String type) {
    JsonNode golden = SharedData.json("models/tiny/" + type + ".json");
    Kernels kernels = NativeRuntime.kernels(Device.Kind.CPU);
    assertTrue(golden.size() >= 3);
    golden
        .properties()
        .forEach(
            model -> {
              Path file =
                  SharedData.require("models/tiny/" + model.getKey() + "." + type + ".gguf");
              try (Policy policy = PolicyFiles.load(file, Policy.Options.FROZEN)) {
                for (JsonNode row : model.getValue()) {
                  int[] ids = ints(row.path("ids"));
                  int[] response = Arrays.copyOfRange(ids, 1, ids.length);
                  float[] found =
                      new Scorer(policy, kernels)
                          .score(List.of(Sequence.of(new int[] {ids[0]}, response)), 1, 4096, false)
                          .get(0)
                          .logprobs();
                  float[] expected = floats(row.path("logprobs"));
                  assertArrayEquals(expected, found, bound(file), model.getKey());
                }
              }
            });
    SharedData.counted("models/tiny", golden.size());
  }
}
