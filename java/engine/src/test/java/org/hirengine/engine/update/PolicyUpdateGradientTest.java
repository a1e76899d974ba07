package org.hirengine.engine.update;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.algo.LossAggregation;
import org.hirengine.engine.algo.ReferencePolicyLoss;
import org.hirengine.engine.config.OptimSection;
import org.hirengine.engine.config.SftConfig;
import org.hirengine.engine.experience.TrainingRow;
import org.hirengine.engine.model.ForwardPass.Activations;
import org.hirengine.engine.model.GoldenModel;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.PolicyFiles;
import org.hirengine.engine.model.ResponseBatch;
import org.hirengine.engine.model.Safetensors;
import org.hirengine.engine.runtime.NativeExecutor;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.engine.update.PolicyUpdate.Budget;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.KernelRegistry;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.Kernels.KlLoss;
import org.hirengine.kernels.Kernels.PolicyLossConfig;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class PolicyUpdateGradientTest {

  private static final PolicyLossConfig PPO =
      new PolicyLossConfig(1, 0.2, 0.2, 3, 0, KlLoss.NONE, 0);
  private static final Budget WHOLE = new Budget(1 << 20, true, 1L << 30, Activations.KEEP);

  private static NativeExecutor executor;
  private static Kernels kernels;

  @BeforeAll
  static void start() {
    executor = new NativeExecutor(1);
    kernels = KernelRegistry.choose(Device.Kind.CPU);
  }

  @AfterAll
  static void stop() {
    executor.close();
  }

  private static Policy load(String folder) {
    Path path = SharedData.require("golden/models/" + folder);
    return PolicyFiles.load(path, Policy.Options.TRAINABLE);
  }

  private static float[] constant(int count, float value) {
    float[] values = new float[count];
    Arrays.fill(values, value);
    return values;
  }

  /**
   * With advantage 1, weight 1 and ratio 1 the gradient is that of minus the sum of log-probs, the
   * golden gradients.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "qwen3-mini",
        "qwen2-mini",
        "llama3-mini",
        "qwen3-tiny",
        "qwen2-tiny",
        "llama3-tiny"
      })
  void gradientOfLogprobsIsTheGoldenOne(String folder) {
    compareGradients(folder, 1, "", "golden_grads.safetensors");
  }

  /** The advantages are the golden weights, the temperature is 0.7. */
  @ParameterizedTest
  @ValueSource(strings = {"qwen3-mini", "qwen2-mini", "llama3-mini"})
  void gradientOfWeightedLogprobsIsTheGoldenOne(String folder) {
    compareGradients(folder, 0.7, "_t0.7", "golden_weighted_grads.safetensors");
  }

  private static void compareGradients(
      String folder, double temperature, String suffix, String gradients) {
    PolicyLossConfig loss = new PolicyLossConfig(temperature, 0.2, 0.2, 3, 0, KlLoss.NONE, 0);
    SharedData.require("golden/models/" + folder);
    executor.run(
        () -> {
          try (PointerScope scope = new PointerScope();
              Policy policy = load(folder);
              GoldenModel golden = GoldenModel.open(folder);
              Safetensors expected = Safetensors.open(golden.folder().resolve(gradients))) {
            int predictions = GoldenModel.LENGTH - 1;
            float[] weights =
                suffix.isEmpty()
                    ? constant(GoldenModel.ROWS * predictions, 1)
                    : golden.floats("weights");
            List<TrainingRow> rows = new ArrayList<>();
            for (int row = 0; row < GoldenModel.ROWS; row++) {
              int[] tokens = golden.tokens(row);
              rows.add(
                  new TrainingRow(
                      Arrays.copyOf(tokens, 1),
                      Arrays.copyOfRange(tokens, 1, tokens.length),
                      null,
                      null,
                      Arrays.copyOfRange(
                          weights,
                          predictions * row + golden.first()[row],
                          predictions * (row + 1)),
                      false));
            }
            UpdateReport result =
                forwardBackward(
                    policy,
                    new PolicyLoss(loss, LossAggregation.SEQ_MEAN_TOKEN_SUM_NORM, 1),
                    WHOLE,
                    rows);
            double sum = 0;
            for (float logprob : golden.floats("logprobs" + suffix)) {
              sum += logprob;
            }
            assertEquals(sum, result.originals().logprob(), 1e-4 * Math.abs(sum));
            int compared = 0;
            for (Map.Entry<String, Tensor> entry : policy.parameterGradients().entrySet()) {
              float[] actual = Tensors.floats(entry.getValue());
              float[] wanted = Tensors.floats(expected.tensor(entry.getKey()));
              for (int i = 0; i < wanted.length; i++) {
                wanted[i] = -wanted[i];
              }
              assertTrue(distance(wanted, actual) < 1e-4, entry.getKey());
              compared++;
            }
            SharedData.counted("golden/models/" + folder + " gradients by PolicyUpdate", compared);
          }
        });
  }

  private static UpdateReport forwardBackward(
      Policy policy, PolicyLoss loss, Budget budget, List<TrainingRow> rows) {
    OptimSection optim = SftConfig.of(List.of("model=m", "data=d", "out=o")).optim();
    try (Optimizer optimizer = new Optimizer(policy, kernels, optim, 1)) {
      return new PolicyUpdate(policy, kernels, loss, budget, optimizer)
          .forwardBackward(rows, done -> {});
    }
  }

  /** Relative to the expected vector's norm. */
  private static double distance(float[] expected, float[] actual) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow((double) expected[i] - actual[i], 2);
      norm += Math.pow(expected[i], 2);
    }
    return Math.sqrt(difference / Math.max(norm, 1e-30));
  }

  /** Groups of three originals that share a prompt, every other one with a replay behind it. */
  private static List<TrainingRow> randomRows(Random random, boolean shareArrays) {
    List<TrainingRow> rows = new ArrayList<>();
    for (int prompt = 0; prompt < 4; prompt++) {
      int[] ids = random.ints(3 + random.nextInt(9), 0, 512).toArray();
      for (int i = 0; i < 3; i++) {
        int[] response = random.ints(1 + random.nextInt(12), 0, 512).toArray();
        rows.add(row(random, shareArrays ? ids : ids.clone(), response, false));
        if (i % 2 == 0) {
          rows.add(row(random, Arrays.copyOf(ids, ids.length - 1), response, true));
        }
      }
    }
    return rows;
  }

  private static TrainingRow row(Random random, int[] prompt, int[] response, boolean replayed) {
    float[] old = new float[response.length];
    float[] ref = new float[response.length];
    float[] advantages = new float[response.length];
    for (int t = 0; t < old.length; t++) {
      // An untrained model gives every token about -log(512).
      old[t] = (float) (-6.2 + 0.5 * random.nextGaussian());
      ref[t] = (float) (-6.2 + 0.5 * random.nextGaussian());
      advantages[t] = (float) random.nextGaussian();
    }
    return new TrainingRow(prompt, response, old, ref, advantages, replayed);
  }

  private record Outcome(float[] gradient, UpdateReport result) {}

  private static Outcome gradient(
      Policy policy,
      PolicyLossConfig loss,
      LossAggregation mode,
      Budget budget,
      List<TrainingRow> rows) {
    UpdateReport result = forwardBackward(policy, new PolicyLoss(loss, mode, 12), budget, rows);
    return new Outcome(Tensors.floats(policy.gradients()), result);
  }

  /** Neither packing, nor sharing of prompts, nor chunks, nor recomputing change the result. */
  @ParameterizedTest
  @EnumSource
  void memoryBoundsDoNotChangeTheResult(LossAggregation mode) {
    PolicyLossConfig loss = new PolicyLossConfig(0.8, 0.2, 0.3, 2, 0.01, KlLoss.K3, 0.05);
    executor.run(
        () -> {
          try (Policy policy = load("qwen3-tiny")) {
            Outcome whole = gradient(policy, loss, mode, WHOLE, randomRows(new Random(5), true));
            LossSums all = whole.result.all();
            assertTrue(all.clipped() > 0 && all.entropy() > 0 && all.klLoss() > 0);
            List<Budget> budgets =
                List.of(
                    new Budget(1, true, 1L << 30, Activations.KEEP),
                    new Budget(40, true, 1L << 30, Activations.KEEP),
                    new Budget(1 << 20, false, 1L << 30, Activations.KEEP),
                    new Budget(1 << 20, true, 512 * 4 * 7, Activations.KEEP),
                    new Budget(40, true, 1, Activations.RECOMPUTE));
            for (Budget budget : budgets) {
              for (boolean share : new boolean[] {true, false}) {
                Outcome other =
                    gradient(policy, loss, mode, budget, randomRows(new Random(5), share));
                assertTrue(distance(whole.gradient, other.gradient) < 1e-5, budget.toString());
                LossSums sums = other.result.all();
                assertEquals(all.loss(), sums.loss(), 1e-5 * Math.abs(all.loss()));
                assertEquals(all.clipped(), sums.clipped(), 1e-6);
                assertEquals(all.weight(), sums.weight(), 1e-6);
                assertEquals(
                    whole.result.replays().approxKl(), other.result.replays().approxKl(), 1e-5);
              }
            }
          }
        });
  }

  /**
   * The clipped loss has the gradient of a plain log-likelihood in which each token is weighted by
   * d loss / d log-prob, computed in double.
   */
  @Test
  void clippedLossAgainstADoubleReference() {
    executor.run(
        () -> {
          try (Policy policy = load("qwen3-tiny")) {
            List<TrainingRow> rows = randomRows(new Random(8), true);
            Outcome actual =
                gradient(policy, PPO, LossAggregation.SEQ_MEAN_TOKEN_MEAN, WHOLE, rows);
            List<TrainingRow> linear = new ArrayList<>();
            double loss = 0;
            double clipped = 0;
            int replays = 0;
            for (TrainingRow row : rows) {
              float[] logprobs = logprobs(policy, row);
              float[] pull = new float[logprobs.length];
              for (int t = 0; t < pull.length; t++) {
                ReferencePolicyLoss token =
                    ReferencePolicyLoss.of(
                        logprobs[t], row.oldLogprobs()[t], row.advantages()[t], 0.2, 0.2, 3);
                pull[t] = (float) -token.gradient();
                loss += token.loss() / pull.length / rows.size();
                if (row.replayed()) {
                  clipped += (token.clipped() ? 1.0 : 0) / pull.length / rows.size();
                }
              }
              replays += row.replayed() ? 1 : 0;
              linear.add(new TrainingRow(row.prompt(), row.response(), null, null, pull, false));
            }
            assertEquals(loss, actual.result.all().loss(), 1e-5);
            assertEquals(clipped, actual.result.replays().clipped(), 1e-6);
            assertEquals((double) replays / rows.size(), actual.result.replays().weight(), 1e-6);
            Outcome expected =
                gradient(policy, PPO, LossAggregation.SEQ_MEAN_TOKEN_MEAN, WHOLE, linear);
            assertTrue(distance(expected.gradient, actual.gradient) < 1e-5);
          }
        });
  }

  /** Log-probs of a row by itself, through log_softmax. */
  private static float[] logprobs(Policy policy, TrainingRow row) {
    try (PointerScope scope = new PointerScope()) {
      ResponseBatch batch = MicroBatch.of(List.of(row), true).responses();
      try (var pass = policy.passes().forward(batch.packed(), Activations.NONE)) {
        Tensor hidden = pass.hidden().index_select(0, Tensors.ofInts(batch.rows()));
        Tensor targets = Tensors.ofInts(batch.targets()).unsqueeze(1);
        return Tensors.floats(policy.passes().logits(hidden).log_softmax(1).gather(1, targets));
      }
    }
  }
}
