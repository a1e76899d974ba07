package org.hirengine.engine.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Which files of a repository make up a model: configuration, tokenizer, chat templates and
 * safetensors, or one GGUF file that contains everything. Pickles (.bin, .pth), which can run code
 * when they are read, and other formats are never fetched.
 */
final class NeededFiles {

  static final String CONFIG = "config.json";
  static final String WEIGHTS = "model.safetensors";
  static final String INDEX = "model.safetensors.index.json";

  /** Files other than weights that a model may have. */
  static final List<String> COMPANIONS =
      List.of(
          "generation_config.json",
          "tokenizer.json",
          "tokenizer_config.json",
          "tokenizer.model",
          "special_tokens_map.json",
          "added_tokens.json",
          "vocab.json",
          "merges.txt",
          "chat_template.jinja");

  /** Folder of named templates; its name also records that a repository has none. */
  static final String TEMPLATES = "additional_chat_templates";

  private static final Pattern TEMPLATE = Pattern.compile(TEMPLATES + "/[^/]+\\.jinja");

  private static final Pattern PICKLE = Pattern.compile(".*\\.(bin|pth|pt|pkl|ckpt)");

  private static final ObjectMapper JSON = new ObjectMapper();

  private NeededFiles() {}

  /** Whether a file is a named chat template. */
  static boolean isTemplate(String file) {
    return TEMPLATE.matcher(file).matches();
  }

  /** Whether a model's weights are split over several files. */
  static boolean isSharded(Collection<String> files) {
    return !files.contains(WEIGHTS) && files.contains(INDEX);
  }

  /** The GGUF files of a repository, without the vision parts of multimodal models. */
  static List<String> gguf(Collection<String> files) {
    return files.stream()
        .filter(file -> file.endsWith(".gguf") && !file.contains("mmproj"))
        .sorted()
        .toList();
  }

  /**
   * The only GGUF file of a repository without safetensors.
   *
   * @throws HubException when there is none, or more than one
   */
  static String onlyGguf(HubName name, Collection<String> files) {
    List<String> gguf = gguf(files);
    if (gguf.size() == 1) {
      return gguf.get(0);
    }
    if (gguf.size() > 1) {
      throw new HubException(
          name.repository() + " holds " + gguf.size() + " GGUF files: " + some(gguf),
          "name one of them: " + name.withFile(gguf.get(0)));
    }
    if (files.stream().anyMatch(file -> PICKLE.matcher(file).matches())) {
      throw new HubException(
          name.repository()
              + " holds no safetensors, only pickled weights, which can run code when read",
          "choose a repository with " + WEIGHTS + ", or convert it with transformers");
    }
    throw new HubException(
        name.repository()
            + " holds no model: neither "
            + CONFIG
            + " with "
            + WEIGHTS
            + " nor a GGUF file",
        "choose a repository that does");
  }

  private static String some(List<String> files) {
    int shown = Math.min(files.size(), 12);
    return String.join(", ", files.subList(0, shown)) + (shown < files.size() ? ", ..." : "");
  }

  /**
   * The weight files that an index lists.
   *
   * @throws HubException when it is not an index
   */
  static Set<String> shards(Path index) {
    try {
      JsonNode map = JSON.readTree(index.toFile()).path("weight_map");
      Set<String> shards = new TreeSet<>();
      map.forEach(shard -> shards.add(shard.asText()));
      if (!shards.isEmpty()
          && shards.stream().allMatch(s -> s.endsWith(".safetensors") && HubName.isSafe(s))) {
        return shards;
      }
    } catch (IOException e) {
      // reported below
    }
    throw new HubException(
        index + ": weight_map does not name the files of the weights",
        "tell the repository's owner, or choose another revision");
  }
}
