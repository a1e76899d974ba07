package org.hirengine.engine.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Values by dotted key, each with its origin and the folder that its paths are relative to. */
final class Settings {

  private static final ObjectMapper YAML =
      new ObjectMapper(
          YAMLFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build());

  /**
   * @param origin such as {@code run.yaml:12} or {@code command line}
   * @param folder what a relative path is relative to
   */
  record Setting(String key, JsonNode value, String origin, Path folder) {}

  /** The key, at the top of a file only, that names the file it builds on. */
  private static final String BASE = "base";

  private final Map<String, Setting> settings = new LinkedHashMap<>();
  private final ConfigKeys keys;
  private @Nullable Path base;

  Settings(ConfigKeys keys) {
    this.keys = keys;
  }

  Map<String, Setting> all() {
    return settings;
  }

  /** Adds the settings of a YAML file, on top of those of the file that its {@code base} names. */
  void file(Path file) {
    file(file, new LinkedHashSet<>());
  }

  private void file(Path file, Set<Path> above) {
    Path path = file.toAbsolutePath().normalize();
    if (!above.add(path)) {
      throw new ConfigException(file + ": is its own base; let it name another file, or none");
    }
    Path folder = path.getParent();
    Settings own = new Settings(keys);
    own.read(file, folder);
    if (own.base != null) {
      file(own.base, above);
    }
    settings.putAll(own.settings);
  }

  /** Adds a file's own settings, and records its base. */
  private void read(Path file, Path folder) {
    try (YAMLParser parser = (YAMLParser) YAML.getFactory().createParser(text(file))) {
      JsonToken first = parser.nextToken();
      if (first == null) {
        return;
      }
      if (first != JsonToken.START_OBJECT) {
        throw new ConfigException(file + ": expected keys and values, such as \"model: DIR\"");
      }
      object(parser, "", file, folder);
      if (parser.nextToken() != null) {
        throw new ConfigException(file + ": holds more than one YAML document; keep the first");
      }
    } catch (JsonProcessingException e) {
      int line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
      throw new ConfigException(file + ":" + line + ": " + e.getOriginalMessage(), e);
    } catch (NoSuchFileException e) {
      throw new ConfigException(file + ": no such config file", e);
    } catch (IOException e) {
      throw new ConfigException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  private static String text(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      int line = 1;
      for (int i = 0; i < bytes.position(); i++) {
        line += bytes.get(i) == '\n' ? 1 : 0;
      }
      throw new ConfigException(
          file + ":" + line + ": is not UTF-8 text; save the file in UTF-8 (it may be Latin-1)", e);
    }
  }

  private void object(YAMLParser parser, String prefix, Path file, Path folder) throws IOException {
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = prefix + parser.currentName();
      String origin = file + ":" + parser.currentTokenLocation().getLineNr();
      if (parser.nextToken() == JsonToken.START_OBJECT) {
        if (!keys.isSection(key)) {
          throw unknown(key, origin);
        }
        object(parser, key + ".", file, folder);
      } else if (key.equals(BASE)) {
        if (parser.currentToken() != JsonToken.VALUE_STRING) {
          throw new ConfigException(origin + ": base must be the path of another config file");
        }
        base = folder.resolve(parser.getText());
      } else {
        JsonNode value = YAML.readTree(parser);
        put(key, value == null ? NullNode.instance : value, origin, folder);
      }
    }
  }

  /**
   * Adds {@code key=value}. Paths and other text are taken literally, except {@code null} and an
   * empty value; other values are read as YAML.
   */
  void override(String assignment, Path folder) {
    int equals = assignment.indexOf('=');
    if (equals < 1) {
      throw new ConfigException(
          "command line: \"" + assignment + "\" is not of the form key=value");
    }
    String key = assignment.substring(0, equals).strip();
    String value = assignment.substring(equals + 1);
    if (equals > key.length()) {
      value = value.stripLeading(); // key = value
    }
    ConfigKeys.Leaf leaf = keys.find(key);
    if (leaf != null && leaf.isText() && !value.isBlank() && !value.equals("null")) {
      put(key, TextNode.valueOf(value), "command line", folder);
    } else {
      text(key, value.strip(), "command line", folder);
    }
  }

  /** Adds one value written as YAML text. */
  void text(String key, String yaml, String origin, Path folder) {
    try {
      JsonNode value = YAML.readTree(yaml);
      put(
          key,
          value == null || value instanceof MissingNode ? NullNode.instance : value,
          origin,
          folder);
    } catch (JsonProcessingException e) {
      throw new ConfigException(origin + ": " + key + ": not a YAML value: " + yaml, e);
    }
  }

  private void put(String key, JsonNode value, String origin, Path folder) {
    ConfigKeys.Leaf leaf = keys.find(key);
    if (leaf == null) {
      throw keys.isSection(key)
          ? new ConfigException(
              origin + ": " + key + " is a section: set one of its keys, such as " + key + ".x: 1")
          : unknown(key, origin);
    }
    settings.put(leaf.name(), new Setting(leaf.name(), value, origin, folder));
  }

  private ConfigException unknown(String key, String origin) {
    return new ConfigException(
        origin + ": unknown key \"" + key + "\"; did you mean \"" + keys.nearest(key) + "\"?");
  }
}
