package org.hirengine.engine.diagnose;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.config.TrainSection;
import org.hirengine.engine.model.ForwardPass;
import org.hirengine.engine.model.ForwardPass.Activations;
import org.hirengine.engine.model.InitialWeights;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.PackedBatch;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.plan.MemoryPlan;
import org.hirengine.engine.rollout.Prompt;
import org.hirengine.engine.rollout.RandomStream;
import org.hirengine.engine.rollout.RolloutEngine;
import org.hirengine.engine.rollout.RolloutParams;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.NativeExecutor;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.engine.update.Optimizer;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;

/**
 * Estimates the time of a training step in which every prompt and response is as long as the limits
 * allow: one layer of the model's shape and a part of its vocabulary are timed for some seconds and
 * scaled up. Verification, evaluation and checkpoints are left out.
 *
 * @param rollout seconds of sampling
 * @param logprobs seconds of scoring, under the reference policy too if there is one; nothing under
 *     the policy where decoding's log-probs are taken
 * @param update seconds of all updates of a step
 * @param steps of the run
 */
public record StepTimes(double rollout, double logprobs, double update, long steps) {

  private static final int VOCABULARY = 8192;
  private static final int MOST_TOKENS = 1024;
  private static final int HEAD_ROWS = 128;
  private static final int DECODED = 8;
  private static final int MOST_ROWS = 64;

  /** Seconds that a measurement is repeated for, after one that does not count. */
  private static final double SECONDS = 1;

  /** Seconds of the whole step. */
  public double step() {
    return rollout + logprobs + update;
  }

  /** Times the shape that the plan is for, on the CPU. */
  public static StepTimes measure(MemoryPlan plan) {
    TrainConfig config = plan.config();
    ModelConfig model = ModelConfig.read(config.model().path());
    try (NativeExecutor executor =
        config.threads() == null ? new NativeExecutor() : new NativeExecutor(config.threads())) {
      Rates rates = executor.call(() -> Rates.measure(model, config, plan.rows()));
      return rates.times(model, config, plan.rows());
    }
  }

  /** For people. */
  public List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add(
        String.format(
            Locale.ROOT,
            "a step takes about %s: rollout %s, log-probs %s, update %s",
            time(step()),
            time(rollout),
            time(logprobs),
            time(update)));
    lines.add(
        "%d steps take about %s, without evaluation and verification"
            .formatted(steps, time(step() * steps)));
    return lines;
  }

  private static String time(double seconds) {
    return seconds < 120
        ? String.format(Locale.ROOT, seconds < 10 ? "%.1f s" : "%.0f s", seconds)
        : seconds < 7200
            ? String.format(Locale.ROOT, "%.0f min", seconds / 60)
            : String.format(Locale.ROOT, "%.1f h", seconds / 3600);
  }

  /** For other programs. */
  public ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("rollout", rollout).put("logprobs", logprobs).put("update", update);
    return json.put("step", step()).put("run", step() * steps);
  }

  /**
   * Seconds of the pieces that a step is made of.
   *
   * @param forward of a token in a layer
   * @param backward of a token in a layer
   * @param logit of a logit
   * @param logitBackward of a logit's gradient
   * @param decode of a layer, for all rows that are decoded together
   * @param parameter of a parameter in the optimizer
   * @param decoded whether decoding's log-probs are taken
   */
  private record Rates(
      double forward,
      double backward,
      double logit,
      double logitBackward,
      double decode,
      double parameter,
      boolean decoded) {

    static Rates measure(ModelConfig model, TrainConfig config, int rows) {
      ModelConfig slice =
          ModelConfig.parse(
              "a layer of the model",
              model
                  .json()
                  .deepCopy()
                  .put("num_hidden_layers", 1)
                  .put("vocab_size", Math.min(VOCABULARY, model.vocabSize()))
                  .without(List.of("layer_types", "max_window_layers")));
      Kernels kernels = NativeRuntime.kernels(Device.Kind.CPU);
      Policy.Options options = Policy.Options.trained(Device.CPU, config.dtype(), config.optim());
      try (Policy policy = InitialWeights.random(slice, options, 1);
          Optimizer optimizer = new Optimizer(policy, kernels, config.optim(), Long.MAX_VALUE)) {
        return new Measurement(policy, kernels, config).rates(optimizer, rows);
      }
    }

    StepTimes times(ModelConfig model, TrainConfig config, int rows) {
      TrainSection train = config.train();
      double layers = model.layers();
      double vocabulary = model.vocabSize();
      double prompts = train.prompts() * (double) config.limits().prompt();
      double response = config.limits().response();
      double sampled = train.prompts() * (double) config.samplesPerPrompt();
      double trained =
          train.prompts() * (double) Math.max(train.group(), config.samplesPerPrompt());
      double decoding =
          Math.ceil(sampled / rows) * response * (decode * layers + rows * vocabulary * logit);
      double rollout = prompts * forward * layers + decoding;
      double scoring =
          (prompts + sampled * response) * forward * layers
              + sampled * response * vocabulary * logit;
      boolean again = train.recompute() == TrainSection.Recompute.LAYERS;
      double layer = (again ? 2 : 1) * forward + backward;
      double pass =
          (prompts + trained * response) * layer * layers
              + trained * response * vocabulary * (logit + logitBackward);
      double parameters =
          model.shapes().values().stream()
              .mapToDouble(
                  s -> s.stream().mapToDouble(Long::doubleValue).reduce(1, (a, b) -> a * b))
              .sum();
      double stepping = parameter * parameters * train.updatesPerEpoch();
      return new StepTimes(
          rollout,
          scoring * ((decoded ? 0 : 1) + (config.kl().needsReference() ? 1 : 0)),
          train.epochs() * (pass + stepping),
          train.steps());
    }
  }

  /** Times the pieces on one layer. */
  private static final class Measurement {
    private final Policy policy;
    private final Kernels kernels;
    private final TrainConfig config;
    private final int tokens;
    private final int[] ids;

    Measurement(Policy policy, Kernels kernels, TrainConfig config) {
      this.policy = policy;
      this.kernels = kernels;
      this.config = config;
      int longest = config.limits().prompt() + config.limits().response();
      tokens = Math.min(Math.min(MOST_TOKENS, longest), policy.config().maxPositions());
      ids = new SplittableRandom(1).ints(tokens, 0, policy.config().vocabSize()).toArray();
    }

    Rates rates(Optimizer optimizer, int rows) {
      double forward = best(() -> pass(false)) / tokens;
      double both = best(() -> pass(true)) / tokens;
      double logits = (double) HEAD_ROWS * policy.config().vocabSize();
      double logit = best(() -> head(false)) / logits;
      double headBoth = best(() -> head(true)) / logits;
      int together = Math.min(rows, MOST_ROWS);
      double stepping = best(() -> decode(together)) / DECODED;
      double layer = stepping - together * policy.config().vocabSize() * logit;
      // For more rows than were timed, time grows in proportion.
      double decode = Math.max(stepping / 10, layer) * rows / together;
      double parameter = best(() -> optimizer.step(1)) / policy.size();
      return new Rates(
          forward,
          Math.max(0, both - forward),
          logit,
          Math.max(0, headBoth - logit),
          decode,
          parameter,
          decoded());
    }

    private boolean decoded() {
      try (RolloutEngine engine = new RolloutEngine(policy, kernels, Set.of())) {
        return config.sampling().logprobs().decoded(engine.exact());
      }
    }

    /** Shortest of some repeats, in seconds. */
    private double best(Runnable work) {
      work.run();
      double best = Double.MAX_VALUE;
      long began = System.nanoTime();
      do {
        long start = System.nanoTime();
        work.run();
        best = Math.min(best, (System.nanoTime() - start) / 1e9);
      } while (System.nanoTime() - began < SECONDS * 1e9);
      return best;
    }

    private void pass(boolean backward) {
      Activations kept = backward ? Activations.KEEP : Activations.NONE;
      try (GradMode off = GradMode.disabled();
          PointerScope scope = new PointerScope();
          ForwardPass pass =
              policy.passes().forward(new PackedBatch(ids, new int[] {tokens}), kept)) {
        if (backward) {
          pass.backward(
              Tensors.zeros(Device.CPU, ScalarType.Float, tokens, policy.config().hiddenSize()));
        }
      }
    }

    private void head(boolean backward) {
      try (GradMode off = GradMode.disabled();
          PointerScope scope = new PointerScope()) {
        Tensor hidden =
            Tensors.zeros(
                Device.CPU,
                Tensors.dtype(policy.embedding()),
                HEAD_ROWS,
                policy.config().hiddenSize());
        Tensor logits = policy.passes().logits(hidden);
        if (backward) {
          policy.passes().headBackward(logits, hidden);
        }
      }
    }

    private void decode(int rows) {
      try (RolloutEngine engine =
          new RolloutEngine(
              policy,
              kernels,
              Set.of(),
              policy.config().vocabSize(),
              new RolloutEngine.Limits(rows, 1L << 40))) {
        engine.generate(
            List.of(new Prompt(0, new int[] {1})),
            rows,
            0,
            RolloutParams.sampling(DECODED, config.sampling().temperature()),
            new RandomStream(1, RandomStream.TRAINING, 0));
      }
    }
  }
}
