package org.hirengine.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.hirengine.engine.convert.ModelConverter;
import org.hirengine.engine.convert.ModelConverter.Storage;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Options shared by the commands that write a model. */
final class SavingOptions {

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      description =
          "What matrices are written as: F32, F16, BF16 or, to a .gguf file, Q8_0 (default: as they"
              + " are in the model; F32 where it is quantized, which changes no value).")
  private @Nullable Storage type;

  @Option(names = "--overwrite", description = "Replace OUT where it is a file that exists.")
  private boolean overwrite;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  /** What {@code --type} names; null keeps the model's own. */
  @Nullable Storage type() {
    return type;
  }

  /** Refuses a target that is in use, or that cannot hold what {@code --type} names. */
  void check(Path out) throws IOException {
    if (type == Storage.Q8_0 && !ModelConverter.isGguf(out)) {
      throw new ParameterException(
          spec.commandLine(), "--type Q8_0 is for an OUT that ends in .gguf");
    }
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
