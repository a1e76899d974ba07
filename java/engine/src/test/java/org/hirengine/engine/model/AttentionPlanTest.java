package org.hirengine.engine.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.Device;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AttentionPlanTest {

  private static Tensor random(Random random, long rows, long columns) {
    float[] values = new float[(int) (rows * columns)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensors.of(values).view(rows, columns);
  }

  /** The GPU's way to handle masks and grouped queries gives the same results. */
  @ParameterizedTest
  @ValueSource(ints = {0, 4, 8})
  void repeatedKeysGiveWhatGroupedQueriesGive(int window) {
    NativeRuntime.load();
    ModelConfig config = TestModels.config("qwen3", 61, 0.3);
    PackedBatch batch =
        new PackedBatch(new int[30], new int[] {7, 9, 5, 6, 3}, new int[] {-1, 0, 0, -1, 3});
    Random random = new Random(1);
    try (PointerScope scope = new PointerScope()) {
      long heads = config.heads() + config.kvHeads();
      Tensor queryKey = random(random, 30, heads * config.headDim());
      Tensor value = random(random, 30, (long) config.kvHeads() * config.headDim());
      try (AttentionPlan grouped = new AttentionPlan(config, batch, window, Device.CPU, false);
          AttentionPlan repeated = new AttentionPlan(config, batch, window, Device.CPU, true)) {
        assertArrayEquals(
            Tensors.floats(grouped.attend(queryKey, value)),
            Tensors.floats(repeated.attend(queryKey, value)),
            1e-5f);
      }
    }
  }
}
