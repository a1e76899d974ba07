package org.hirengine.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.hirengine.engine.convert.ModelConverter;
import org.hirengine.engine.convert.ModelConverter.Storage;
import org.hirengine.engine.hub.Location;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code hir convert}: a model from a Hugging Face folder to a GGUF file, and back. */
@Command(
    name = "convert",
    mixinStandardHelpOptions = true,
    description = {
      "Copies a model between a Hugging Face folder and a GGUF file.",
      "",
      "IN is either; OUT is a GGUF file where its name ends in .gguf, otherwise a folder. Weights,"
          + " tokenizer, chat templates and the ids that end a response are copied too, so that"
          + " llama.cpp and tools built on it run a model that was trained here, and transformers"
          + " loads the folder. In a GGUF file norms and biases stay float32, and a matrix whose"
          + " rows are not a multiple of 32 is F16 instead of Q8_0."
    },
    footer = {
      "",
      "Examples:",
      "  hir convert runs/first/checkpoints/step-100 trained.gguf --type F16",
      "  hir convert Qwen/Qwen3-0.6B qwen3.gguf --type Q8_0",
      "  hir convert SmolLM2-135M-Instruct.Q4_1.gguf smollm2 --type BF16"
    })
final class ConvertCommand implements Callable<Integer> {

  @Parameters(
      index = "0",
      paramLabel = "IN",
      description =
          "A folder in Hugging Face layout, a .gguf file, or a model's name on the Hub (hir"
              + " fetch).")
  private Location in;

  @Parameters(index = "1", paramLabel = "OUT", description = "A .gguf file, or a folder.")
  private Path out;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      description =
          "What matrices are written as: F32, F16, BF16 or, to a .gguf file, Q8_0 (default: as they"
              + " are in IN; F32 where IN is quantized, which changes no value).")
  private @Nullable Storage type;

  @Option(names = "--overwrite", description = "Replace OUT where it is a file that exists.")
  private boolean overwrite;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if (type == Storage.Q8_0 && !ModelConverter.isGguf(out)) {
      throw new ParameterException(
          spec.commandLine(), "--type Q8_0 is for an OUT that ends in .gguf");
    }
    refuseExisting();
    Path model = Downloads.model(in, spec.commandLine().getErr());
    if (Files.exists(out) && Files.isSameFile(model, out)) {
      throw new Failure(out + ": is IN itself", "choose another OUT");
    }
    Storage written = ModelConverter.convert(model, out, type);
    PrintWriter console = spec.commandLine().getOut();
    console.println("wrote " + out + " (" + written + ")");
    console.flush();
    return 0;
  }

  private void refuseExisting() throws IOException {
    if (Files.isDirectory(out)) {
      try (Stream<Path> entries = Files.list(out)) {
        if (entries.findAny().isPresent()) {
          // Files that another model left there would become part of this one.
          throw new Failure(out + ": is a folder with files in it", "choose another OUT");
        }
      }
    } else if (Files.exists(out) && !overwrite) {
      throw new Failure(out + ": exists already", "choose another OUT, or add --overwrite");
    } else if (Files.exists(out) && !ModelConverter.isGguf(out)) {
      throw new Failure(out + ": is a file, not a folder", "choose another OUT");
    }
  }
}
