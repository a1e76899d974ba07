package org.hirengine.engine.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.HirTrainer;
import org.hirengine.engine.TinyWorld;
import org.hirengine.engine.model.Safetensors;
import org.hirengine.engine.runs.Metric;
import org.hirengine.engine.runs.StepMetrics;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.engine.train.TrainingListener;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run on a GPU equals the CPU's run except for rounding. */
@Tag("gpu")
class CudaTrainingTest {

  private static final int STEPS = 3;

  @TempDir Path temp;

  @BeforeAll
  static void needsAGpu() {
    Gpu.kernels();
  }

  private List<StepMetrics> run(TinyWorld world, String out, String... settings)
      throws IOException {
    List<StepMetrics> steps = new ArrayList<>();
    TrainingListener recorder =
        new TrainingListener() {
          @Override
          public void step(StepMetrics metrics) {
            steps.add(metrics);
          }
        };
    List<String> all = new ArrayList<>(List.of(settings));
    all.addAll(List.of("train.steps=" + STEPS, "algorithm=hir", "kl.loss=k3", "optim.lr=1e-3"));
    try (HirTrainer trainer =
        HirTrainer.builder()
            .config(world.config(out, all.toArray(String[]::new)))
            .listener(recorder)
            .build()) {
      trainer.run();
    }
    return steps;
  }

  @Test
  void trainsAsTheCpuDoes() throws IOException {
    TinyWorld world = new TinyWorld(temp);
    List<StepMetrics> here = run(world, "cpu");
    List<StepMetrics> there = run(world, "cuda", "device=cuda");
    assertEquals(STEPS, there.size());
    // The first step samples from the same weights, so its responses are equal.
    for (Metric metric :
        List.of(Metric.ILA, Metric.CLA, Metric.REWARD, Metric.REPLAYED, Metric.GENERATED_TOKENS)) {
      assertEquals(value(here.get(0), metric), value(there.get(0), metric), 1e-9, metric.key());
    }
    for (Metric metric : List.of(Metric.ENTROPY, Metric.LOSS, Metric.GRAD_NORM)) {
      double expected = value(here.get(0), metric);
      assertEquals(
          expected, value(there.get(0), metric), 1e-3 * Math.abs(expected) + 1e-6, metric.key());
    }
    for (StepMetrics step : there) {
      assertTrue(value(step, Metric.LOGPROB_MISMATCH) < 1e-4);
      assertTrue(value(step, Metric.MEMORY) > 0);
    }
    // Adam follows the sign of a gradient even if that is only rounding, so single weights differ.
    double moved = distance(world.model(), temp.resolve("cpu/checkpoints/step-" + STEPS));
    double apart =
        distance(
            temp.resolve("cpu/checkpoints/step-" + STEPS),
            temp.resolve("cuda/checkpoints/step-" + STEPS));
    assertTrue(apart < 0.1 * moved, "weights moved by " + moved + " and are apart by " + apart);
  }

  @Test
  void trainsInBfloat16WithFloat32Masters() throws IOException {
    TinyWorld world = new TinyWorld(temp);
    for (StepMetrics step : run(world, "low", "device=cuda", "dtype=bfloat16")) {
      assertTrue(value(step, Metric.LOGPROB_MISMATCH) < 0.05);
      assertTrue(value(step, Metric.GRAD_NORM) > 0);
      assertEquals(0, value(step, Metric.SKIPPED_UPDATES));
    }
  }

  private static double value(StepMetrics step, Metric metric) {
    return step.get(metric).orElseThrow(() -> new AssertionError("no " + metric.key()));
  }

  /** The mean distance between the weights of two folders. */
  private static double distance(Path first, Path second) throws IOException {
    double sum = 0;
    long count = 0;
    try (Safetensors a = Safetensors.open(first);
        Safetensors b = Safetensors.open(second)) {
      for (String name : a.names()) {
        try (Tensor x = a.tensor(name);
            Tensor y = b.tensor(name)) {
          float[] left = Tensors.floats(x);
          float[] right = Tensors.floats(y);
          for (int i = 0; i < left.length; i++, count++) {
            sum += Math.abs(left[i] - right[i]);
          }
        }
      }
    }
    return sum / count;
  }
}
