package org.hirengine.engine.plan;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import org.hirengine.engine.algo.LossAggregation;
import org.hirengine.engine.config.LoraSection;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.config.TrainSection.Recompute;
import org.hirengine.engine.experience.TrainingRow;
import org.hirengine.engine.model.ForwardPass.Activations;
import org.hirengine.engine.model.InitialWeights;
import org.hirengine.engine.model.Lora;
import org.hirengine.engine.model.LoraConfig;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.PolicyFiles;
import org.hirengine.engine.model.ResponseBatch.Sequence;
import org.hirengine.engine.model.Scorer;
import org.hirengine.engine.rollout.Completion;
import org.hirengine.engine.rollout.Prompt;
import org.hirengine.engine.rollout.RandomStream;
import org.hirengine.engine.rollout.RolloutEngine;
import org.hirengine.engine.rollout.RolloutParams;
import org.hirengine.engine.runtime.DeviceMemory;
import org.hirengine.engine.runtime.NativeExecutor;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.update.Optimizer;
import org.hirengine.engine.update.PolicyLoss;
import org.hirengine.engine.update.PolicyUpdate;
import org.hirengine.engine.update.StepUpdate;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.Kernels.KlLoss;
import org.hirengine.kernels.Kernels.PolicyLossConfig;
import org.jspecify.annotations.Nullable;

/**
 * Plans a step, takes two with every prompt and response at its limit, saves, and prints the memory
 * that was planned and that was used: the highest resident size less the size before. The Java heap
 * is touched first, so that only the engine's own allocations count.
 *
 * <p>Arguments: a model's config.json for random weights, or a .gguf file; then settings.
 */
final class PlannedStep {

  private PlannedStep() {}

  public static void main(String[] args) throws Exception {
    Path given = Path.of(args[0]);
    Path file = args[0].endsWith(".gguf") ? given : null;
    ModelConfig model =
        file != null
            ? ModelConfig.read(file)
            : ModelConfig.parse(args[0], (ObjectNode) new ObjectMapper().readTree(given.toFile()));
    String name = file == null ? "m" : args[0];
    List<String> settings = new ArrayList<>(List.of("model=" + name, "data.train=d", "out=o"));
    settings.addAll(Arrays.asList(args).subList(1, args.length));
    TrainConfig config = TrainConfig.of(settings);
    try (NativeExecutor executor = new NativeExecutor(2)) {
      executor.call(
          () -> {
            run(model, file, config);
            return true;
          });
    }
  }

  private static void run(ModelConfig model, @Nullable Path file, TrainConfig given)
      throws Exception {
    Kernels kernels = NativeRuntime.kernels(Device.Kind.CPU);
    Planner planner = Planner.of(model, Device.Kind.CPU, 1);
    MemoryPlan plan = planner.decide(given, 64L << 30);
    long planned = plan.peak() - plan.part("process") - plan.part("java_heap");
    plan.table().forEach(System.out::println);
    Path base = file == null && plan.config().adapts() ? saved(model, plan.config()) : file;
    Files.writeString(Path.of("/proc/self/clear_refs"), "5"); // resets the high-water mark
    long before = DeviceMemory.resident().orElseThrow();
    steps(model, base, plan.config(), kernels);
    long most =
        Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(line -> line.startsWith("VmHWM:"))
            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
            .findFirst()
            .orElseThrow();
    System.out.println("PLANNED " + planned + " MEASURED " + (most - before));
  }

  /** Saves a model to train an adapter on. */
  private static Path saved(ModelConfig model, TrainConfig config) throws IOException {
    Path folder = Files.createTempDirectory("base");
    try (Policy policy =
        InitialWeights.random(model, new Policy.Options(Device.CPU, config.dtype(), false), 1)) {
      PolicyFiles.save(policy, config.dtype(), folder);
    }
    return folder;
  }

  private static Policy policy(
      ModelConfig model, @Nullable Path base, TrainConfig config, Policy.Options options) {
    LoraSection lora = config.lora();
    return base == null
        ? InitialWeights.random(model, options, 1)
        : PolicyFiles.adapted(
            base,
            options,
            Lora.fresh(LoraConfig.of(Objects.requireNonNull(lora.rank()), 16, lora.targets()), 1));
  }

  private static void steps(
      ModelConfig model, @Nullable Path base, TrainConfig config, Kernels kernels)
      throws Exception {
    Policy.Options options = Policy.Options.trained(Device.CPU, config.dtype(), config.optim());
    boolean reference = config.kl().needsReference();
    try (Policy policy = policy(model, base, config, options);
        Optimizer optimizer = new Optimizer(policy, kernels, config.optim(), 100);
        Policy frozen =
            !reference
                ? null
                : base != null
                    ? policy.reference(null)
                    : InitialWeights.random(
                        model, new Policy.Options(Device.CPU, config.dtype(), false), 1);
        RolloutEngine rollouts =
            new RolloutEngine(
                policy,
                kernels,
                Set.of(),
                model.vocabSize(),
                RolloutEngine.Limits.of(config.sampling()))) {
      PolicyLoss loss =
          new PolicyLoss(
              new PolicyLossConfig(1, 0.2, 0.2, 3, 0, KlLoss.NONE, 0),
              LossAggregation.TOKEN_MEAN,
              1);
      PolicyUpdate.Budget budget =
          new PolicyUpdate.Budget(
              config.train().tokensAtOnce(),
              true,
              Scorer.DEFAULT_LOGIT_BYTES,
              config.train().recompute() == Recompute.LAYERS
                  ? Activations.RECOMPUTE
                  : Activations.KEEP);
      StepUpdate update =
          new StepUpdate(
              config.train(), new PolicyUpdate(policy, kernels, loss, budget, optimizer));
      for (int step = 0; step < 2; step++) {
        List<Sequence> sequences = sample(model, config, rollouts, step);
        List<Scorer.Scores> old = score(policy, kernels, config, sequences);
        if (reference) {
          score(Objects.requireNonNull(frozen), kernels, config, sequences);
        }
        update.run(rows(sequences, old));
      }
      Path target = Files.createTempDirectory("planned");
      PolicyFiles.save(policy, config.dtype(), target);
    }
  }

  private static List<Sequence> sample(
      ModelConfig model, TrainConfig config, RolloutEngine rollouts, int step) {
    SplittableRandom random = new SplittableRandom(step);
    List<Prompt> prompts = new ArrayList<>();
    for (int i = 0; i < config.train().prompts(); i++) {
      int[] ids = random.ints(config.limits().prompt(), 0, model.vocabSize()).toArray();
      prompts.add(new Prompt(i, ids));
    }
    List<Sequence> sequences = new ArrayList<>();
    for (Completion completion :
        rollouts.generate(
            prompts,
            config.samplesPerPrompt(),
            0,
            RolloutParams.sampling(config.limits().response(), 1),
            new RandomStream(1, RandomStream.TRAINING, step))) {
      sequences.add(Sequence.of(prompts.get(completion.promptId()).tokens(), completion.tokens()));
    }
    return sequences;
  }

  private static List<Scorer.Scores> score(
      Policy policy, Kernels kernels, TrainConfig config, List<Sequence> sequences) {
    return new Scorer(policy, kernels).score(sequences, 1, config.train().tokensAtOnce(), true);
  }

  private static List<TrainingRow> rows(List<Sequence> sequences, List<Scorer.Scores> old) {
    List<TrainingRow> rows = new ArrayList<>();
    for (int i = 0; i < sequences.size(); i++) {
      Sequence sequence = sequences.get(i);
      float[] advantages = new float[sequence.response().length];
      Arrays.fill(advantages, i % 2 == 0 ? 1 : -1);
      rows.add(
          new TrainingRow(
              sequence.prompt(),
              sequence.response(),
              old.get(i).logprobs(),
              null,
              advantages,
              false));
    }
    return rows;
  }
}
