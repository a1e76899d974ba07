package org.hirengine.engine.update;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.config.OptimSection;
import org.hirengine.engine.config.SftConfig;
import org.hirengine.engine.model.InitialWeights;
import org.hirengine.engine.model.Lora;
import org.hirengine.engine.model.LoraConfig;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.runtime.CopyQueue;
import org.hirengine.engine.runtime.NativeExecutor;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A step on the host gives the same bits as one on the device. */
class HostStepTest {

  private static final int UPDATES = 3;

  /** Large enough for more parts than are copied at once. */
  private static ModelConfig model() {
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.put("model_type", "qwen3").put("vocab_size", 12007).put("hidden_size", 256);
    json.put("intermediate_size", 1024).put("num_hidden_layers", 4).put("head_dim", 64);
    json.put("num_attention_heads", 4).put("num_key_value_heads", 2);
    json.put("max_position_embeddings", 64).put("rms_norm_eps", 1e-6);
    json.put("initializer_range", 0.08).put("rope_theta", 10000.0);
    json.put("tie_word_embeddings", false);
    return ModelConfig.parse("small", json);
  }

  private static OptimSection optim(DType dtype, String masters, String moments, String offload) {
    return SftConfig.of(
            List.of(
                "model=m",
                "data=d",
                "out=o",
                "dtype=" + (dtype == DType.FLOAT32 ? "float32" : "bfloat16"),
                "optim.lr=0.01",
                "optim.weight_decay=0.1",
                "optim.clip=1",
                "optim.masters=" + masters,
                "optim.moments=" + moments,
                "optim.offload=" + offload))
        .optim();
  }

  private static Policy policy(DType dtype, OptimSection optim) {
    return InitialWeights.random(model(), Policy.Options.trained(Device.CPU, dtype, optim), 5);
  }

  /** Cheap pseudo-random numbers around 0. */
  private static void gradients(Policy policy, int update) {
    float[] values = new float[Math.toIntExact(policy.size())];
    int state = update + 1;
    for (int i = 0; i < values.length; i++) {
      state = state * 1664525 + 1013904223;
      values[i] = state * 0x1p-31f;
    }
    policy.gradients().data_ptr_float().put(values, 0, values.length);
  }

  /** All that a policy and its optimizer hold, by name. */
  private static Map<String, float[]> state(Policy policy, Optimizer optimizer) {
    Map<String, float[]> state = new LinkedHashMap<>();
    for (String name : policy.config().shapes().keySet()) {
      try (Tensor master = policy.master(name)) {
        state.put(name, Tensors.floats(master));
      }
    }
    for (String name : optimizer.momentNames()) {
      try (Tensor wide = optimizer.moments(name).to(ScalarType.Float)) {
        state.put(name, Tensors.floats(wide));
      }
    }
    Tensor low = policy.lowPrecision();
    if (low != null) {
      try (Tensor wide = low.to(ScalarType.Float)) {
        state.put("weights", Tensors.floats(wide));
      }
    }
    return state;
  }

  private static Map<String, float[]> train(DType dtype, OptimSection optim) {
    Kernels kernels = NativeRuntime.kernels(Device.Kind.CPU);
    try (PointerScope scope = new PointerScope();
        Policy policy = policy(dtype, optim);
        Optimizer optimizer = new Optimizer(policy, kernels, optim, UPDATES)) {
      for (int update = 0; update < UPDATES; update++) {
        gradients(policy, update);
        double norm = optimizer.gradientNorm();
        assertTrue(norm > 1, "gradients are not clipped");
        optimizer.step(norm);
      }
      return state(policy, optimizer);
    }
  }

  private static void assertSame(Map<String, float[]> one, Map<String, float[]> other) {
    assertEquals(one.keySet(), other.keySet());
    one.forEach((name, values) -> assertArrayEquals(values, other.get(name), name));
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, float32, float32",
    "FLOAT32, float32, bfloat16",
    "FLOAT32, float32, int8",
    "BFLOAT16, float32, float32",
    "BFLOAT16, float32, bfloat16",
    "BFLOAT16, float32, int8",
    "BFLOAT16, split, float32",
    "BFLOAT16, split, bfloat16",
    "BFLOAT16, split, int8"
  })
  void givesTheBitsOfTheDevicesStep(DType dtype, String masters, String moments) {
    try (NativeExecutor executor = new NativeExecutor(2)) {
      executor.run(
          () ->
              assertSame(
                  train(dtype, optim(dtype, masters, moments, "none")),
                  train(dtype, optim(dtype, masters, moments, "cpu"))));
    }
  }

  /** Makes each copy as late as it may: when it is waited for. */
  private static final class Late implements CopyQueue {
    private final CopyQueue copies = CopyQueue.of(Device.CPU);
    private final Deque<Runnable> queued = new ArrayDeque<>();
    private int most;

    @Override
    public void begin() {}

    @Override
    public void copy(Tensor to, long toByte, Tensor from, long fromByte, long bytes) {
      queued.add(() -> copies.copy(to, toByte, from, fromByte, bytes));
      most = Math.max(most, queued.size());
    }

    @Override
    public void await() {
      queued.forEach(Runnable::run);
      queued.clear();
    }

    @Override
    public void close() {
      copies.close();
    }
  }

  @ParameterizedTest
  @CsvSource({"FLOAT32, float32, float32", "BFLOAT16, float32, bfloat16", "BFLOAT16, split, int8"})
  void waitsForEveryCopyThatItNeeds(DType dtype, String masters, String moments) {
    Kernels kernels = NativeRuntime.kernels(Device.Kind.CPU);
    OptimSection here = optim(dtype, masters, moments, "cpu");
    Deque<Late> queues = new ArrayDeque<>();
    try (NativeExecutor executor = new NativeExecutor(2)) {
      executor.run(
          () -> {
            try (PointerScope scope = new PointerScope();
                Policy one = policy(dtype, here);
                Policy two = policy(dtype, here);
                Optimizer optimizer = new Optimizer(one, kernels, here, UPDATES);
                Optimizer late =
                    new Optimizer(
                        two,
                        kernels,
                        here,
                        UPDATES,
                        () -> {
                          queues.add(new Late());
                          return queues.getLast();
                        })) {
              for (int update = 0; update < UPDATES; update++) {
                gradients(one, update);
                gradients(two, update);
                optimizer.step(2);
                late.step(2);
                // All gradients have been read, so clearing them changes nothing.
                two.gradients().zero_();
              }
              assertSame(state(one, optimizer), state(two, late));
            }
          });
    }
    assertEquals(2, queues.size());
    queues.forEach(queue -> assertTrue(queue.queued.isEmpty() && queue.most > 0));
  }

  /** After a failed step no copy is pending, so the memory can be freed. */
  @Test
  void copiesAreOverWhenTheStepFails() {
    Kernels kernels = NativeRuntime.kernels(Device.Kind.CPU);
    OptimSection here = optim(DType.BFLOAT16, "float32", "bfloat16", "cpu");
    Deque<Late> queues = new ArrayDeque<>();
    try (NativeExecutor executor = new NativeExecutor(2)) {
      executor.run(
          () -> {
            try (PointerScope scope = new PointerScope();
                Policy policy = policy(DType.BFLOAT16, here);
                Optimizer optimizer =
                    new Optimizer(
                        policy,
                        kernels,
                        here,
                        UPDATES,
                        () -> {
                          queues.add(new Late());
                          return queues.getLast();
                        })) {
              gradients(policy, 1);
              policy.gradients().data_ptr_float().put(policy.size() / 2, Float.NaN);
              assertThrows(RuntimeException.class, () -> optimizer.step(2));
            }
          });
    }
    queues.forEach(queue -> assertTrue(queue.queued.isEmpty()));
  }

  /** An adapter's weights are its masters, wherever its moments are. */
  @Test
  void stepsAnAdapterToo() {
    Kernels kernels = NativeRuntime.kernels(Device.Kind.CPU);
    Lora.Source adapter = Lora.fresh(LoraConfig.of(4, 8, "q,v,down"), 1);
    try (NativeExecutor executor = new NativeExecutor(2)) {
      executor.run(
          () -> {
            List<float[]> ends = new ArrayList<>();
            for (String offload : List.of("none", "cpu")) {
              OptimSection optim = optim(DType.BFLOAT16, "float32", "bfloat16", offload);
              try (PointerScope scope = new PointerScope();
                  Policy policy =
                      InitialWeights.random(
                          model(),
                          Policy.Options.trained(Device.CPU, DType.BFLOAT16, optim),
                          5,
                          adapter);
                  Optimizer optimizer = new Optimizer(policy, kernels, optim, UPDATES)) {
                float[] before = Tensors.floats(policy.masters());
                gradients(policy, 1);
                optimizer.step(2);
                ends.add(Tensors.floats(policy.masters()));
                assertFalse(Arrays.equals(before, ends.get(ends.size() - 1)));
              }
            }
            assertArrayEquals(ends.get(0), ends.get(1));
          });
    }
  }

  @Test
  void refusesAPolicyWhoseMastersAreElsewhere() {
    Kernels kernels = NativeRuntime.kernels(Device.Kind.CPU);
    OptimSection none = optim(DType.BFLOAT16, "float32", "float32", "none");
    OptimSection here = optim(DType.BFLOAT16, "float32", "float32", "cpu");
    try (NativeExecutor executor = new NativeExecutor(1)) {
      executor.run(
          () -> {
            try (Policy policy = policy(DType.BFLOAT16, none)) {
              assertFalse(policy.hostMasters());
              assertThrows(
                  IllegalArgumentException.class,
                  () -> new Optimizer(policy, kernels, here, UPDATES));
            }
          });
    }
  }

  /** Three buffers of one part each, whatever the model's size. */
  @Test
  void countsItsBuffers() {
    assertEquals(3 * 1000 * (4 + 2), HostStep.bytes(1000, 2));
    assertEquals(3L * (1 << 21) * (4 + 4), HostStep.bytes(1L << 33, 4));
  }
}
