package org.hirengine.engine.model;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hirengine.engine.gguf.GgufModel;
import org.hirengine.engine.gguf.ModelFiles;
import org.hirengine.replay.DataException;

/**
 * The files that a model folder needs besides its weights: tokenizer, chat templates, stop ids.
 *
 * <p>The files are held in memory from the start of a run, so checkpoints do not depend on the
 * folder that they came from: it may be read-only, a cache of links, or deleted by then.
 *
 * @param files content by name within the folder, such as {@code
 *     additional_chat_templates/tool_use.jinja}
 */
public record CompanionFiles(Map<String, byte[]> files) {

  private static final List<String> NAMES =
      List.of(
          "tokenizer.json",
          "tokenizer_config.json",
          "tokenizer.model",
          "special_tokens_map.json",
          "added_tokens.json",
          "vocab.json",
          "vocab.txt",
          "merges.txt",
          "chat_template.jinja",
          "generation_config.json");

  /** Copies the map. */
  public CompanionFiles {
    files = Collections.unmodifiableMap(new LinkedHashMap<>(files));
  }

  /**
   * Reads those of a folder; for a GGUF file, those made from its metadata.
   *
   * @throws DataException naming an existing file that cannot be read
   */
  public static CompanionFiles read(Path model) throws IOException {
    return GgufModel.is(model) ? ofGguf(model) : ofFolder(model);
  }

  private static CompanionFiles ofGguf(Path file) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    try (GgufModel model = GgufModel.open(file)) {
      for (String name : names(file)) {
        model.text(name).ifPresent(t -> files.put(name, t.getBytes(StandardCharsets.UTF_8)));
      }
    }
    return new CompanionFiles(files);
  }

  private static CompanionFiles ofFolder(Path folder) throws IOException {
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (String name : names(folder)) {
      Path file = folder.resolve(name);
      if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
        files.put(name, content(file));
      }
    }
    return new CompanionFiles(files);
  }

  private static List<String> names(Path model) {
    List<String> names = new ArrayList<>(NAMES);
    ModelFiles.templates(model).forEach(name -> names.add(ModelFiles.templateFile(name)));
    return names;
  }

  private static byte[] content(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      boolean dangling = Files.isSymbolicLink(file) && !Files.exists(file);
      throw new DataException(
          file.toString(),
          0,
          null,
          dangling ? "is a link to a missing file" : "cannot be read: " + e,
          dangling ? "fetch the model again" : "check the file and its permissions");
    }
  }

  /** Writes them as ordinary files; existing ones with the same content are left alone. */
  public void write(Path folder) throws IOException {
    for (Map.Entry<String, byte[]> entry : files.entrySet()) {
      Path file = folder.resolve(entry.getKey());
      if (Files.isRegularFile(file) && Arrays.equals(Files.readAllBytes(file), entry.getValue())) {
        continue;
      }
      Files.createDirectories(file.getParent());
      // Writing through a link would change a file that is not ours.
      Files.deleteIfExists(file);
      Files.write(file, entry.getValue());
    }
  }
}
