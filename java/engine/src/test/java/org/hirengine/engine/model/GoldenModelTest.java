package org.hirengine.engine.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.model.ForwardPass.Activations;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The models in golden/models compared with transformers. */
class GoldenModelTest {

  static Policy load(String folder, String config, Policy.Options options) {
    Path path = SharedData.require("golden/models/" + folder);
    return PolicyFiles.load(path, ModelConfig.read(path.resolve(config)), options);
  }

  @ParameterizedTest
  @CsvSource({
    "qwen2-mini, config.json, qwen2-mini",
    "qwen2-mini, config_classic.json, qwen2-mini",
    "qwen3-mini, config.json, qwen3-mini",
    "qwen3-mini, config_classic.json, qwen3-mini",
    "llama3-mini, config.json, llama3-mini",
    "llama3-mini, config_classic.json, llama3-mini",
    "qwen2-tiny, config.json, qwen2-tiny",
    "qwen2-tiny, config_classic.json, qwen2-tiny",
    "qwen3-tiny, config.json, qwen3-tiny",
    "qwen3-tiny, config_classic.json, qwen3-tiny",
    "qwen3-tiny-sharded, config.json, qwen3-tiny",
    "llama3-tiny, config.json, llama3-tiny",
    "llama3-tiny, config_classic.json, llama3-tiny",
    "qwen2-tiny-bf16, config.json, qwen2-tiny-bf16",
    "qwen2-tiny-bf16, config_classic.json, qwen2-tiny-bf16",
    "mistral-mini, config.json, mistral-mini",
    "qwen2-window-mini, config.json, qwen2-window-mini",
    "qwen2-window-mini, config_classic.json, qwen2-window-mini",
  })
  void logitsAndHiddenStates(String folder, String config, String golden) {
    try (PointerScope scope = new PointerScope();
        GoldenModel expected = GoldenModel.open(golden);
        Policy policy = load(folder, config, Policy.Options.FROZEN);
        ForwardPass pass = policy.passes().forward(expected.batch(), Activations.NONE)) {
      int width = policy.config().hiddenSize();
      float[] states = expected.floats("hidden_states");
      int last = policy.config().layers() * GoldenModel.ROWS * GoldenModel.LENGTH * width;
      assertArrayEquals(
          expected.packed(states, last, width), Tensors.floats(pass.hidden()), 1e-4f, "hidden");
      int vocabulary = policy.config().vocabSize();
      assertArrayEquals(
          expected.packed(expected.floats("logits"), 0, vocabulary),
          Tensors.floats(policy.passes().logits(pass.hidden())),
          1e-4f,
          "logits");
      SharedData.counted("golden/models logits", 1);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "qwen2-mini, KEEP", "qwen2-mini, RECOMPUTE",
    "qwen3-mini, KEEP", "qwen3-mini, RECOMPUTE",
    "llama3-mini, KEEP", "llama3-mini, RECOMPUTE",
    "qwen2-tiny, KEEP", "qwen2-tiny, RECOMPUTE",
    "qwen3-tiny, KEEP", "qwen3-tiny, RECOMPUTE",
    "llama3-tiny, KEEP", "llama3-tiny, RECOMPUTE",
    "mistral-mini, KEEP", "mistral-mini, RECOMPUTE",
    "qwen2-window-mini, KEEP", "qwen2-window-mini, RECOMPUTE",
  })
  void gradients(String folder, Activations activations) {
    JsonNode golden = SharedData.json("golden/models/" + folder + "/golden.json");
    try (PointerScope scope = new PointerScope();
        GoldenModel expected = GoldenModel.open(folder);
        Safetensors gradients =
            Safetensors.open(
                SharedData.require("golden/models/" + folder + "/golden_grads.safetensors"));
        Policy policy = load(folder, "config.json", Policy.Options.TRAINABLE)) {
      sumOfLogprobsBackward(policy, expected.batch(), activations);
      double squares = 0;
      for (Map.Entry<String, Tensor> gradient : policy.parameterGradients().entrySet()) {
        float[] want = GoldenModel.floats(gradients, gradient.getKey());
        double norm = Math.sqrt(squares(want));
        assertArrayEquals(
            want, Tensors.floats(gradient.getValue()), (float) (1e-4 * norm), gradient.getKey());
        squares += squares(Tensors.floats(gradient.getValue()));
      }
      assertEquals(gradients.names(), policy.parameterGradients().keySet());
      double norm = golden.get("grad_norm").asDouble();
      assertEquals(norm, Math.sqrt(squares), 1e-4 * norm);
      assertEquals(
          norm * norm, squares(Tensors.floats(policy.gradients())), 2e-4 * norm * norm, "flat");
      SharedData.counted("golden/models gradients", 1);
    }
  }

  /** Gradient of the summed log-probs of all next tokens, by the formula of the softmax. */
  static void sumOfLogprobsBackward(Policy policy, PackedBatch batch, Activations activations) {
    try (PointerScope scope = new PointerScope();
        ForwardPass pass = policy.passes().forward(batch, activations)) {
      Tensor logits = policy.passes().logits(pass.hidden());
      Tensor gradient = torch.softmax(logits.to(ScalarType.Float), 1).neg();
      int vocabulary = policy.config().vocabSize();
      int row = 0;
      for (int length : batch.lengths()) {
        for (int t = 0; t < length; t++, row++) {
          if (t == length - 1) {
            gradient.narrow(0, row, 1).zero_();
          } else {
            int target = batch.ids()[row + 1];
            assertTrue(target < vocabulary);
            Tensor cell = gradient.narrow(0, row, 1).narrow(1, target, 1);
            cell.add_(new Scalar(1.0));
          }
        }
      }
      pass.backward(policy.passes().headBackward(gradient.to(logits.scalar_type()), pass.hidden()));
    }
  }

  static double squares(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += (double) value * value;
    }
    return sum;
  }

  @ParameterizedTest
  @ValueSource(strings = {"qwen2-tiny-bf16"})
  void bfloat16Compute(String folder) {
    try (PointerScope scope = new PointerScope();
        GoldenModel expected = GoldenModel.open(folder);
        Policy policy =
            load(folder, "config.json", new Policy.Options(Device.CPU, DType.BFLOAT16, false));
        ForwardPass pass = policy.passes().forward(expected.batch(), Activations.NONE)) {
      float[] want = expected.floats("logits");
      assertArrayEquals(
          expected.packed(want, 0, policy.config().vocabSize()),
          Tensors.floats(policy.passes().logits(pass.hidden()).to(ScalarType.Float)),
          0.3f);
      SharedData.counted("golden/models bf16 logits", 1);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "qwen2-mini",
        "qwen3-mini",
        "llama3-mini",
        "qwen2-tiny",
        "qwen3-tiny",
        "qwen3-tiny-sharded",
        "llama3-tiny",
        "qwen2-tiny-bf16",
        "mistral-mini",
        "qwen2-window-mini"
      })
  void savedFolderLoadsBackIdentically(String folder, @TempDir Path target) throws Exception {
    try (Policy policy = load(folder, "config.json", Policy.Options.FROZEN)) {
      PolicyFiles.save(policy, DType.FLOAT32, target);
      byte[] first = Files.readAllBytes(target.resolve("model.safetensors"));
      try (Policy again = PolicyFiles.load(target, Policy.Options.TRAINABLE)) {
        assertArrayEquals(Tensors.floats(policy.masters()), Tensors.floats(again.masters()), 0f);
        assertEquals(policy.config().layers(), again.config().layers());
        PolicyFiles.save(again, DType.FLOAT32, target);
        assertArrayEquals(first, Files.readAllBytes(target.resolve("model.safetensors")));
        PolicyFiles.save(again, DType.BFLOAT16, target);
      }
      try (Policy rounded = PolicyFiles.load(target, Policy.Options.FROZEN)) {
        assertEquals("bfloat16", rounded.config().dtype());
        if (folder.endsWith("bf16")) {
          assertArrayEquals(
              Tensors.floats(policy.masters()), Tensors.floats(rounded.masters()), 0f);
        }
      }
    }
  }
}
