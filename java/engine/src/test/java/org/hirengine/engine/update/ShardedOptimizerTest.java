package org.hirengine.engine.update;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.config.SftConfig;
import org.hirengine.engine.distributed.ProcessGroup;
import org.hirengine.engine.distributed.Ranks;
import org.hirengine.engine.distributed.Shards;
import org.hirengine.engine.model.InitialWeights;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** ZeRO stage 1: each rank keeps the state of its shard, and all end with the same weights. */
class ShardedOptimizerTest {

  private static final int UPDATES = 3;
  private static final int PIECES = 4;

  private static ModelConfig model() {
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.put("model_type", "qwen2").put("vocab_size", 199).put("hidden_size", 48);
    json.put("intermediate_size", 104).put("num_hidden_layers", 2);
    json.put("num_attention_heads", 4).put("num_key_value_heads", 2);
    json.put("max_position_embeddings", 64).put("rms_norm_eps", 1e-6);
    json.put("initializer_range", 0.08).put("rope_theta", 10000.0);
    json.put("tie_word_embeddings", false);
    return ModelConfig.parse("small", json);
  }

  private static void gradients(Policy policy, int update) {
    SplittableRandom random = new SplittableRandom(update);
    float[] values = new float[Math.toIntExact(policy.size())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    try (GradMode off = GradMode.disabled();
        Tensor all = Tensors.of(values)) {
      policy.gradients().copy_(all);
    }
  }

  /** What a rank ends with. */
  private record Result(
      float[] weights, List<Double> norms, List<float[]> masters, long kept, long momentBytes) {}

  private static Result train(
      ProcessGroup group, DType compute, String masters, String moments, String offload) {
    Kernels kernels = NativeRuntime.kernels(Device.Kind.CPU);
    SftConfig config =
        SftConfig.of(
            List.of(
                "model=m",
                "data=d",
                "out=o",
                "dtype=" + (compute == DType.FLOAT32 ? "float32" : "bfloat16"),
                "optim.lr=0.01",
                "optim.clip=1",
                "optim.masters=" + masters,
                "optim.moments=" + moments,
                "optim.offload=" + offload));
    Policy.Options options = Policy.Options.trained(Device.CPU, compute, config.optim());
    try (PointerScope scope = new PointerScope();
        Policy policy = InitialWeights.random(model(), options, 5);
        Optimizer optimizer =
            new Optimizer(policy, kernels, config.optim(), UPDATES, group, PIECES)) {
      List<Double> norms = new ArrayList<>();
      for (int update = 0; update < UPDATES; update++) {
        gradients(policy, update); // as after summing; a rank reads only its own shard
        norms.add(optimizer.gradientNorm());
        optimizer.step(norms.get(update));
      }
      long momentBytes = 0;
      for (String name : optimizer.momentNames()) {
        Tensor here = optimizer.moments(name);
        momentBytes += here.numel() * here.element_size();
      }
      boolean dealt = group.size() > 1 && compute == DType.BFLOAT16;
      if (dealt) {
        assertThrows(IllegalStateException.class, () -> policy.master("lm_head.weight"));
      }
      long kept = policy.residues() != null ? policy.residues().numel() : policy.masters().numel();
      optimizer.gatherMasters();
      List<float[]> all = new ArrayList<>();
      for (String name : policy.config().shapes().keySet()) {
        try (Tensor master = policy.master(name)) {
          all.add(Tensors.floats(master));
        }
      }
      for (String name : optimizer.momentNames()) {
        try (Tensor gathered = optimizer.gatherMoments(name);
            Tensor wide = gathered.to(ScalarType.Float)) {
          all.add(Tensors.floats(wide));
        }
      }
      Tensor low = policy.lowPrecision();
      Tensor weights = low == null ? policy.masters() : low;
      try (Tensor wide = weights.to(ScalarType.Float)) {
        return new Result(Tensors.floats(wide), norms, all, kept, momentBytes);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, float32, float32",
    "BFLOAT16, float32, float32",
    "BFLOAT16, split, float32",
    "BFLOAT16, float32, bfloat16",
    "BFLOAT16, split, int8",
    "FLOAT32, float32, int8"
  })
  void ranksEndWithTheStateOfOneProcess(DType compute, String masters, String moments)
      throws Exception {
    for (String offload : List.of("none", "cpu")) {
      ranksEndWithTheStateOfOneProcess(compute, masters, moments, offload);
    }
  }

  private static void ranksEndWithTheStateOfOneProcess(
      DType compute, String masters, String moments, String offload) throws Exception {
    Result one = Ranks.run(1, group -> train(group, compute, masters, moments, "none")).get(0);
    for (int ranks : new int[] {2, 4}) {
      long momentBytes = 0;
      long kept = 0;
      for (Result result :
          Ranks.run(ranks, group -> train(group, compute, masters, moments, offload))) {
        assertEquals(one.norms, result.norms);
        assertArrayEquals(one.weights, result.weights);
        assertEquals(one.masters.size(), result.masters.size());
        for (int i = 0; i < one.masters.size(); i++) {
          assertArrayEquals(one.masters.get(i), result.masters.get(i), "of tensor " + i);
        }
        if (!moments.equals("int8")) { // which takes more bytes for embeddings than for others
          assertTrue(result.momentBytes < 1.1 * one.momentBytes / ranks + 4096);
        }
        momentBytes += result.momentBytes;
        kept += result.kept;
      }
      assertEquals(one.momentBytes, momentBytes);
      assertEquals(compute == DType.FLOAT32 ? ranks * one.kept : one.kept, kept);
    }
  }

  @Test
  void piecesThatTheRanksCannotShareAreRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> Ranks.run(2, group -> Shards.of(group, 100, 3, bound -> bound)));
  }
}
