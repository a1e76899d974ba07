package org.hirengine.engine.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Reads configurations: defaults, preset, file, overrides; later ones win. */
final class ConfigReader {

  private ConfigReader() {}

  /**
   * @param file YAML; null for overrides only
   * @param preset what the value of the key {@code algorithm} sets
   */
  static <T extends Record> T read(
      Class<T> type,
      @Nullable Path file,
      List<String> overrides,
      Function<String, Map<String, String>> preset) {
    ConfigKeys keys = new ConfigKeys(type);
    Path here = Path.of("").toAbsolutePath();
    Settings given = new Settings(keys);
    if (file != null) {
      given.file(file);
    }
    overrides.forEach(assignment -> given.override(assignment, here));

    Settings resolved = new Settings(keys);
    for (ConfigKeys.Leaf leaf : keys.leaves()) {
      if (!leaf.required()) {
        resolved.text(leaf.name(), leaf.key().value(), "default", here);
      }
    }
    Settings.Setting algorithm = given.all().get("algorithm");
    if (algorithm != null) {
      String name = algorithm.value().asText();
      preset.apply(name).forEach((key, value) -> resolved.text(key, value, "preset " + name, here));
    }
    resolved.all().putAll(given.all());
    try {
      return new Binder(keys, resolved).bind(type);
    } catch (ConfigException e) {
      boolean located = file == null || String.valueOf(e.getMessage()).startsWith(file.toString());
      if (located || String.valueOf(e.getMessage()).startsWith("command line")) {
        throw e;
      }
      throw new ConfigException(file + ": " + e.getMessage(), e);
    }
  }
}
