package org.hirengine.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The model a command runs, and where it runs. */
final class ModelOptions {

  @Option(
      names = "--model",
      required = true,
      paramLabel = "MODEL",
      description = "Model folder in Hugging Face layout, or a .gguf file.")
  private Path folder;

  @Mixin private PlaceOptions place;

  Path folder() {
    return folder;
  }

  PlaceOptions place() {
    return place;
  }

  /** Adds what decides results to {@code setup}. */
  void describe(ObjectNode setup) throws IOException {
    ModelSession.describe(folder, setup);
    place.describe(setup);
  }
}
