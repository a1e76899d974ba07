package org.hirengine.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.hirengine.engine.convert.ModelConverter;
import org.hirengine.engine.convert.ModelConverter.Storage;
import org.hirengine.engine.hub.Location;
import org.hirengine.engine.model.Lora;
import org.hirengine.engine.model.ResponseBatch.Sequence;
import org.hirengine.engine.model.Scorer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code hir merge}: a model with an adapter in its weights, as a model of its own. */
@Command(
    name = "merge",
    mixinStandardHelpOptions = true,
    description = {
      "Writes a model with a LoRA adapter merged into its weights.",
      "",
      "The adapter is added to the weights of --model, of a quantized .gguf file to the decoded"
          + " ones, which it was trained on. Then both are run on the same tokens, and the"
          + " difference of their log-probs is printed."
    },
    footer = {
      "",
      "Examples:",
      "  hir merge --model Qwen/Qwen3-0.6B --adapter runs/first/checkpoints/step-100 merged",
      "  hir merge --model qwen3.Q4_K_M.gguf --adapter runs/q4/checkpoints/step-100 merged --type"
          + " BF16"
    })
final class MergeCommand implements Callable<Integer> {

  private static final int SEQUENCES = 4;
  private static final int TOKENS = 32;

  @Option(
      names = "--model",
      required = true,
      paramLabel = "MODEL",
      description =
          "The model that the adapter was trained on: a folder, a .gguf file, or a name on the"
              + " Hub.")
  private Location model;

  @Option(
      names = "--adapter",
      required = true,
      paramLabel = "DIR",
      description = "The adapter, a folder in PEFT's layout.")
  private Path adapter;

  @Parameters(index = "0", paramLabel = "OUT", description = "A folder, or a .gguf file.")
  private Path out;

  @Mixin private SavingOptions saving;

  @Mixin private PlaceOptions place;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    saving.check(out);
    Path base = Downloads.model(model, spec.commandLine().getErr());
    Storage written = ModelConverter.convert(base, out, saving.type(), Lora.trained(adapter));
    PrintWriter console = spec.commandLine().getOut();
    console.println("wrote " + out + " (" + written + "): " + base + " with " + adapter);
    double[] apart = scores(base, adapter);
    double[] merged = scores(out, null);
    double sum = 0;
    double most = 0;
    for (int i = 0; i < apart.length; i++) {
      sum += Math.abs(apart[i] - merged[i]);
      most = Math.max(most, Math.abs(apart[i] - merged[i]));
    }
    console.printf(
        "log-probs of %d random tokens differ by %.3g on average, %.3g at most%n",
        apart.length, sum / apart.length, most);
    console.flush();
    return 0;
  }

  /** Log-probs of tokens that are the same for both models. */
  private double[] scores(Path of, @Nullable Path with) {
    try (StopSignal stop = new StopSignal();
        ModelSession session = new ModelSession(of, with, place, stop)) {
      int vocabulary = session.policy().config().vocabSize();
      int length = Math.min(TOKENS, session.policy().config().maxPositions() - 1);
      SplittableRandom random = new SplittableRandom(1);
      List<Sequence> sequences = new ArrayList<>();
      for (int i = 0; i < SEQUENCES; i++) {
        sequences.add(
            Sequence.of(
                new int[] {random.nextInt(vocabulary)},
                random.ints(length, 0, vocabulary).toArray()));
      }
      Scorer scorer = new Scorer(session.policy(), session.kernels());
      return session.call(() -> scorer.score(sequences, 1, SEQUENCES * TOKENS, true)).stream()
          .flatMapToDouble(
              scores -> {
                float[] logprobs = scores.logprobs();
                return IntStream.range(0, logprobs.length).mapToDouble(t -> logprobs[t]);
              })
          .toArray();
    }
  }
}
