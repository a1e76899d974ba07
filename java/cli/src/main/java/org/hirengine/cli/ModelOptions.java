package org.hirengine.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import org.hirengine.engine.hub.Location;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The model a command runs, and where it runs. */
final class ModelOptions {

  @Option(
      names = "--model",
      required = true,
      paramLabel = "MODEL",
      description =
          "A folder in Hugging Face layout, a .gguf file, or a model's name on the Hub (hir"
              + " fetch).")
  private Location model;

  @Mixin private AdapterOption adapter;

  @Mixin private PlaceOptions place;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  private @Nullable Path found;

  /** The folder; a Hub name is downloaded on first use if it is not in the cache. */
  Path folder() {
    if (found == null) {
      found = Downloads.model(model, command.commandLine().getErr());
    }
    return found;
  }

  /** The folder of the adapter on the model, or none. */
  @Nullable Path adapter() {
    return adapter.folder();
  }

  PlaceOptions place() {
    return place;
  }

  /** Adds the options that determine results to {@code setup}. */
  void describe(ObjectNode setup) throws IOException {
    ModelSession.describe(folder(), adapter(), setup);
    place.describe(setup);
  }
}
