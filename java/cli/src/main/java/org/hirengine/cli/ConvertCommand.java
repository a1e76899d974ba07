package org.hirengine.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.hirengine.engine.convert.ModelConverter;
import org.hirengine.engine.convert.ModelConverter.Storage;
import org.hirengine.engine.hub.Location;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
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

  @Mixin private SavingOptions saving;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    saving.check(out);
    Path model = Downloads.model(in, spec.commandLine().getErr());
    if (Files.exists(out) && Files.isSameFile(model, out)) {
      throw new Failure(out + ": is IN itself", "choose another OUT");
    }
    Storage written = ModelConverter.convert(model, out, saving.type());
    PrintWriter console = spec.commandLine().getOut();
    console.println("wrote " + out + " (" + written + ")");
    console.flush();
    return 0;
  }
}
