package org.hirengine.engine.train;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.config.TrainSection;
import org.hirengine.engine.config.TrainSection.Recompute;
import org.hirengine.engine.distributed.ProcessGroup;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.plan.MemoryPlan;
import org.hirengine.engine.plan.Planner;
import org.hirengine.engine.plan.Remedies;
import org.hirengine.engine.plan.Remedies.Change;
import org.hirengine.engine.runs.RunException;
import org.hirengine.engine.runs.RunFolder;
import org.hirengine.engine.runtime.DeviceMemory;
import org.hirengine.engine.runtime.NativeExecutor;
import org.hirengine.kernels.Device;

/**
 * The memory of a run before anything is loaded.
 *
 * @param plan with everything decided that the configuration leaves open
 * @param available bytes that the process may take; empty if the system does not say
 * @param host bytes of the host's memory that it may take beside a GPU's; empty if the plan is for
 *     another machine
 * @param changes settings that would reduce it
 */
public record TrainingPlan(
    MemoryPlan plan, OptionalLong available, OptionalLong host, List<Change> changes) {

  /**
   * Plans a run of one process.
   *
   * @param memory bytes to plan for; empty asks the device
   */
  public static TrainingPlan of(TrainConfig config, OptionalLong memory) {
    return of(config, memory, ProcessGroup.ALONE);
  }

  /**
   * Plans a run of several ranks, each within its share: the first rank's decisions hold for all.
   */
  static TrainingPlan of(TrainConfig config, ProcessGroup group) {
    TrainingPlan own = of(config, OptionalLong.empty(), group);
    TrainSection train = own.plan.config().train();
    String decided =
        group.ofFirst(
            "memory plan",
            "%d %s %s"
                .formatted(
                    train.tokensAtOnce(),
                    train.recompute(),
                    own.plan.config().sampling().cacheGib()));
    if (group.first()) {
      return own;
    }
    String[] values = decided.split(" ");
    TrainConfig same =
        config
            .withPasses(Integer.parseInt(values[0]), Recompute.valueOf(values[1]))
            .withCache(Double.parseDouble(values[2]));
    return of(same, OptionalLong.empty(), group);
  }

  private static TrainingPlan of(TrainConfig config, OptionalLong memory, ProcessGroup group) {
    ModelConfig model = ModelConfig.read(config.model().path());
    try (NativeExecutor executor = new NativeExecutor(config.threads(group.localSize()))) {
      return executor.call(() -> of(config, model, memory, group));
    }
  }

  private static TrainingPlan of(
      TrainConfig config, ModelConfig model, OptionalLong memory, ProcessGroup group) {
    Planner planner = Planner.of(model, config.device(), group.size());
    OptionalLong available =
        memory.isPresent()
            ? memory
            : DeviceMemory.atHand(
                config.device() == Device.Kind.CUDA
                    ? new Device(Device.Kind.CUDA, group.localRank(), 0)
                    : Device.CPU,
                group.localSize());
    long most = available.orElse(Long.MAX_VALUE);
    MemoryPlan plan = planner.decide(config, most);
    OptionalLong host =
        memory.isPresent() || config.device() == Device.Kind.CPU
            ? OptionalLong.empty()
            : DeviceMemory.atHand(Device.CPU, group.localSize());
    return new TrainingPlan(plan, available, host, new Remedies(planner, most).of(plan));
  }

  /** Whether the run fits. */
  public boolean fits() {
    return plan.peak() <= available.orElse(Long.MAX_VALUE) && hostFits();
  }

  /** Whether the host's memory holds what of a GPU's run is there. */
  public boolean hostFits() {
    return plan.hostBytes() <= host.orElse(Long.MAX_VALUE);
  }

  /**
   * Refuses a run that cannot fit.
   *
   * @throws RunException naming what is needed, what there is, and what to change
   */
  public void refuseIfTooLarge() {
    if (fits()) {
      return;
    }
    if (!hostFits()) {
      throw new RunException(
          "optim.offload cpu needs %s GiB of the host's memory, %s GiB are there"
              .formatted(MemoryPlan.gib(plan.hostBytes()), MemoryPlan.gib(host.orElse(0))),
          "set optim.moments=int8 or optim.masters=split, or optim.offload=none; hir plan shows the"
              + " parts");
    }
    throw new RunException(
        "the run needs %s GiB in its %s phase, %s GiB are there"
            .formatted(
                MemoryPlan.gib(plan.peak()),
                plan.peakPhase().title(),
                MemoryPlan.gib(available.orElse(0))),
        changes.isEmpty()
            ? "take a smaller model, or a machine with more memory"
            : "set "
                + changes.stream().map(Remedies::text).collect(Collectors.joining("; or "))
                + "; hir plan shows the parts");
  }

  /**
   * A configuration with the micro-batch of the existing run in its folder, if it leaves that open,
   * so that gradients are summed in the same order.
   */
  static TrainConfig asBegun(TrainConfig config, RunFolder.Existing existing) {
    Path written = config.out().resolve(RunFolder.CONFIG);
    if (existing != RunFolder.Existing.RESUME
        || config.train().microTokens() != null
        || !Files.exists(written)) {
      return config;
    }
    return config.with(
        "train.micro_tokens", TrainConfig.load(written, List.of()).train().tokensAtOnce());
  }
}
