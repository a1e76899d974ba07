package org.hirengine.cli;

import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Parameters;

/** Parameters shared by the commands that read a run's configuration. */
final class ConfigOptions {

  @Parameters(index = "0", paramLabel = "CONFIG.yaml", description = "The run's configuration.")
  private Path file;

  @Parameters(
      index = "1..*",
      paramLabel = "key=value",
      description = "Settings that replace the file's; paths are taken as they are.")
  private List<String> overrides = List.of();

  Path file() {
    return file;
  }

  /** Settings, {@code key=value}. */
  List<String> overrides() {
    return overrides;
  }
}
