package org.hirengine.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.diagnose.StepTimes;
import org.hirengine.engine.plan.MemoryPlan;
import org.hirengine.engine.plan.Remedies;
import org.hirengine.engine.train.TrainingPlan;
import org.hirengine.kernels.Device;
import org.hirengine.replay.JsonLines;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code hir plan}: what a training run would need, without starting it. */
@Command(
    name = "plan",
    mixinStandardHelpOptions = true,
    description = {
      "Shows what memory a training run needs at most, by part and phase, about how long it takes,"
          + " and which keys to change so that it fits.",
      "",
      "No weights are loaded and nothing is written. Keys left open (train.micro_tokens,"
          + " train.recompute, sampling.cache_gib) are decided as train would decide them. Times"
          + " are at the limits of prompts and responses, from a layer of the model's shape timed"
          + " for some seconds; --no-times leaves them out."
    },
    footer = {
      "",
      "Exit code 1 if the run does not fit.",
      "",
      "Examples:",
      "  hir plan data/real/hir-achieve.yaml",
      "  hir plan my.yaml model=Qwen/Qwen3-0.6B dtype=bfloat16 --memory 9GiB",
      "  hir plan my.yaml --device cuda --memory 80GiB --json"
    })
final class PlanCommand implements Callable<Integer> {

  @Mixin private ConfigOptions config;

  @Option(
      names = "--device",
      paramLabel = "KIND",
      description = "cpu or cuda, even if this machine has none (default: the configuration's).")
  private Device.@Nullable Kind device;

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      converter = Size.class,
      description = "Available memory, such as 80GiB (default: what this machine has free).")
  private @Nullable Long memory;

  @Option(names = "--no-times", description = "Leave out how long a step takes, which is measured.")
  private boolean noTimes;

  @Option(names = "--json", description = "Print one JSON object: peak_gib and each part.")
  private boolean json;

  @Spec private CommandSpec spec;

  /** Bytes with a unit. */
  static final class Size implements ITypeConverter<Long> {

    @Override
    public Long convert(String text) {
      String number = text.replaceAll("(?i)\\s*(gib|gb|g|mib|mb|m)$", "");
      String unit = text.substring(number.length()).strip().toLowerCase(Locale.ROOT);
      try {
        double scale =
            switch (unit) {
              case "gib", "g" -> 0x1p30;
              case "gb" -> 1e9;
              case "mib", "m" -> 0x1p20;
              case "mb" -> 1e6;
              default -> throw new TypeConversionException("'" + text + "' has no unit: say 80GiB");
            };
        return (long) (Double.parseDouble(number.strip()) * scale);
      } catch (NumberFormatException e) {
        throw new TypeConversionException("'" + text + "' is no size such as 80GiB");
      }
    }
  }

  @Override
  public Integer call() {
    List<String> given = new ArrayList<>(config.overrides());
    if (device != null) {
      given.add("device=" + device.name().toLowerCase(Locale.ROOT));
    }
    TrainConfig read = TrainConfig.load(config.file(), given);
    TrainConfig run =
        read.with("model", Downloads.hub(spec.commandLine().getErr()).find(read.model()));
    TrainingPlan plan =
        TrainingPlan.of(run, memory == null ? OptionalLong.empty() : OptionalLong.of(memory));
    boolean timed = !noTimes && run.device() == Device.Kind.CPU;
    StepTimes times = timed ? StepTimes.measure(plan.plan()) : null;
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(JsonLines.write(json(plan, times)));
    } else {
      print(plan, times, out);
    }
    out.flush();
    return plan.fits() ? 0 : 1;
  }

  private static void print(TrainingPlan plan, @Nullable StepTimes times, PrintWriter out) {
    plan.plan().table().forEach(out::println);
    out.println(verdict(plan));
    if (times != null) {
      times.lines().forEach(out::println);
    }
    if (!plan.changes().isEmpty()) {
      out.println(plan.fits() ? "would need less:" : "would fit, or come nearer:");
      plan.changes().forEach(change -> out.println("  " + Remedies.text(change)));
    }
  }

  private static String verdict(TrainingPlan plan) {
    String peak =
        "peak %s GiB in %s"
            .formatted(MemoryPlan.gib(plan.plan().peak()), plan.plan().peakPhase().title());
    if (plan.available().isEmpty()) {
      return peak;
    }
    String there = MemoryPlan.gib(plan.available().getAsLong());
    if (plan.fits()) {
      return peak + ", " + there + " GiB are there: fits";
    }
    return plan.hostFits()
        ? peak + ", only " + there + " GiB are there: DOES NOT FIT"
        : peak
            + ", but of the host's memory only "
            + MemoryPlan.gib(plan.host().orElse(0))
            + " GiB are there: DOES NOT FIT";
  }

  private static ObjectNode json(TrainingPlan plan, @Nullable StepTimes times) {
    ObjectNode json = plan.plan().json();
    plan.available()
        .ifPresent(bytes -> json.put("available_gib", Math.round(bytes / 0x1p30 * 1e4) / 1e4));
    json.put("fits", plan.fits());
    ArrayNode changes = json.putArray("changes");
    for (Remedies.Change change : plan.changes()) {
      ObjectNode one = changes.addObject();
      ArrayNode settings = one.putArray("settings");
      change.settings().forEach(settings::add);
      one.put("peak_gib", Math.round(change.peak() / 0x1p30 * 1e4) / 1e4);
    }
    if (times != null) {
      json.set("seconds", times.json());
    }
    return json;
  }
}
