package org.hirengine.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The adapter that a command's model runs with. */
final class AdapterOption {

  @Option(
      names = "--adapter",
      paramLabel = "DIR",
      description =
          "A LoRA adapter for the model: a folder written by PEFT, or by hir train with lora.")
  private @Nullable Path folder;

  @Nullable Path folder() {
    return folder;
  }
}
