package org.hirengine.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.hirengine.engine.config.LoraTargets;
import org.hirengine.engine.diagnose.StepBenchmark;
import org.hirengine.engine.model.LoraConfig;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.kernels.MomentType;
import org.hirengine.replay.JsonLines;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code hir bench}: one part of a training step, timed on a model with random weights. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = {
      "Times one part of a training step on a model of random weights and prints one JSON line.",
      "",
      "rollout  samples batch responses of exactly new-tokens tokens",
      "logprob  log-probs and entropies of given responses",
      "update   forward, PPO loss, backward, gradient clip, AdamW",
      "step     rollout, log-probs of the reference, update: a step without verification;"
          + " log-probs",
      "         of the policy are the decoder's on a CPU, and a pass of their own on a GPU",
      "",
      "Seconds are per repeat; tokens_per_s counts new tokens for rollout and step, prompt and new"
          + " tokens for the others. gflops divides the arithmetic of the matrix products by the"
          + " time of a repeat; ceiling_gflops is what the processor's multiply-adds reach with"
          + " operands in registers. Memory is the process's peak."
    },
    footer = {
      "",
      "Examples:",
      "  hir bench rollout --shape tiny-12m",
      "  hir bench step --shape half-0.25b --dtype bfloat16 --batch 16 --repeats 5",
      "  hir bench update --shape smol-135m --dtype bfloat16 --lengths mixed",
      "  hir bench step --shape qwen3-0.6b --dtype bfloat16 --batch 8 --lora 16 --recompute",
      "  hir bench step --shape qwen3-0.6b --dtype bfloat16 --split-masters --moments int8"
    })
final class BenchCommand implements Callable<Integer> {

  @Parameters(paramLabel = "PART", description = "rollout, logprob, update or step.")
  private StepBenchmark.Part part;

  @Option(
      names = "--shape",
      defaultValue = "demo-2m",
      paramLabel = "NAME",
      description =
          "demo-2m, tiny-12m, smol-135m, half-0.25b or qwen3-0.6b (default: ${DEFAULT-VALUE}).")
  private String shape;

  @Option(
      names = "--batch",
      defaultValue = "64",
      paramLabel = "N",
      description = "Responses (default: ${DEFAULT-VALUE}).")
  private int batch;

  @Option(
      names = "--micro",
      defaultValue = "16",
      paramLabel = "N",
      description = "Responses per micro-batch of logprob and update (default: ${DEFAULT-VALUE}).")
  private int micro;

  @Option(
      names = "--group",
      defaultValue = "8",
      paramLabel = "N",
      description = "Responses that share a prompt (default: ${DEFAULT-VALUE}).")
  private int group;

  @Option(
      names = "--prompt-len",
      defaultValue = "64",
      paramLabel = "N",
      description = "Prompt tokens (default: ${DEFAULT-VALUE}).")
  private int promptLength;

  @Option(
      names = "--new-tokens",
      defaultValue = "64",
      paramLabel = "N",
      description = "Response tokens (default: ${DEFAULT-VALUE}).")
  private int newTokens;

  @Option(
      names = "--lengths",
      defaultValue = "uniform",
      paramLabel = "uniform|mixed",
      description =
          "mixed: prompts have one to four quarters of --prompt-len, responses one to eight eighths"
              + " of --new-tokens (default: ${DEFAULT-VALUE}).")
  private Lengths lengths;

  @Option(
      names = "--repeats",
      defaultValue = "3",
      paramLabel = "N",
      description = "Timed repeats, after one that is not timed (default: ${DEFAULT-VALUE}).")
  private int repeats;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "Use the weights of this folder or .gguf file instead of --shape.")
  private @Nullable Path weights;

  @Option(
      names = "--lora",
      paramLabel = "RANK",
      description = "Train a LoRA adapter of this rank on all projections, and nothing else.")
  private @Nullable Integer lora;

  @Option(
      names = "--recompute",
      description = "Recompute activations in the backward pass of an update.")
  private boolean recompute;

  @Option(
      names = "--split-masters",
      description = "Keep masters as weights and what bfloat16 took from them.")
  private boolean splitMasters;

  @Option(
      names = "--moments",
      defaultValue = "float32",
      paramLabel = "TYPE",
      description = "The optimizer's: float32, bfloat16 or int8 (default: ${DEFAULT-VALUE}).")
  private MomentType moments;

  @Mixin private PlaceOptions place;

  /** How long prompts and responses are. */
  enum Lengths {
    UNIFORM,
    MIXED
  }

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    ModelConfig config =
        weights == null ? BenchShape.of(shape).config() : ModelConfig.read(weights);
    LoraConfig adapter =
        lora == null ? null : LoraConfig.of(lora, 2.0 * lora, String.join(",", LoraTargets.ALL));
    StepBenchmark.Model model =
        new StepBenchmark.Model(config, weights, adapter, recompute, splitMasters, moments);
    int used = place.threads();
    StepBenchmark.Size size =
        new StepBenchmark.Size(
            batch, group, micro, promptLength, newTokens, lengths == Lengths.MIXED);
    double[] seconds;
    String kernels;
    double flops;
    double ceiling;
    try (StepBenchmark benchmark =
        new StepBenchmark(part, model, size, place.device(), place.dtype(), used)) {
      kernels = benchmark.kernels();
      seconds = benchmark.time(repeats);
      flops = benchmark.productFlops();
      ceiling = benchmark.productCeiling();
    }
    Arrays.sort(seconds);
    double median = median(seconds);
    long tokens = part.countsPrompts() ? size.sequenceTokens() : size.responseTokens();
    double gflops = flops / median * 1e-9;
    ObjectNode row = JsonLines.MAPPER.createObjectNode();
    row.put("impl", spec.root().version()[0] + " (" + kernels + " kernels)")
        .put("what", lower(part))
        .put("shape", weights == null ? shape : weights.toString())
        .put("dtype", lower(place.dtype()))
        .put("device", lower(place.device().kind()))
        .put("threads", used)
        .put("batch", batch)
        .put("group", group)
        .put("prompt_len", promptLength)
        .put("new_tokens", newTokens)
        .put("lengths", lower(lengths))
        .put("repeats", repeats)
        .put("seconds_median", rounded(median, 4))
        .put("seconds_min", rounded(seconds[0], 4))
        .put("tokens_per_s", rounded(tokens / median, 1))
        .put("gflops", rounded(gflops, 1))
        .put("ceiling_gflops", rounded(ceiling, 1))
        .put("ceiling_share", ceiling > 0 ? rounded(gflops / ceiling, 3) : 0)
        .put("peak_rss_mb", peakMegabytes());
    if (lora != null) {
      row.put("lora", lora);
    }
    if (splitMasters) {
      row.put("masters", "split");
    }
    if (moments != MomentType.FLOAT32) {
      row.put("moments", lower(moments));
    }
    spec.commandLine().getOut().println(JsonLines.write(row));
    spec.commandLine().getOut().flush();
    return 0;
  }

  private static double median(double[] sorted) {
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  private static double rounded(double value, int digits) {
    double scale = Math.pow(10, digits);
    return Math.round(value * scale) / scale;
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  private static long peakMegabytes() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
          .findFirst()
          .orElse(0);
    }
  }
}
