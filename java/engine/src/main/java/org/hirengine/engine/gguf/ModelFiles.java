package org.hirengine.engine.gguf;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.hirengine.replay.DataException;

/**
 * The small text files of a model by their Hugging Face names, from a model folder, or derived from
 * a GGUF file's metadata.
 */
public final class ModelFiles {

  /** Folder of named chat templates, beside the main one. */
  private static final String TEMPLATES = "additional_chat_templates";

  private static final String TEMPLATE = ".jinja";

  private ModelFiles() {}

  /** The name in errors of a model's file. */
  public static String label(Path model, String name) {
    return GgufModel.is(model) ? model + " (" + name + ")" : model.resolve(name).toString();
  }

  /**
   * One of the files as text, or empty if the model has no such file.
   *
   * @param model a folder or a GGUF file
   * @throws DataException when it cannot be read
   */
  public static Optional<String> text(Path model, String name) {
    if (GgufModel.is(model)) {
      try (GgufModel gguf = GgufModel.open(model)) {
        return gguf.text(name);
      }
    }
    Path file = model.resolve(name);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(Files.readString(file));
    } catch (CharacterCodingException e) {
      throw fault(file, "is not UTF-8 text", "copy the file again from its source");
    } catch (IOException e) {
      throw fault(file, "cannot be read: " + e, "check the path and its permissions");
    }
  }

  /** Names of the chat templates beside the main one, in order. */
  public static List<String> templates(Path model) {
    if (GgufModel.is(model)) {
      try (GgufModel gguf = GgufModel.open(model)) {
        return gguf.templates();
      }
    }
    Path folder = model.resolve(TEMPLATES);
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(TEMPLATE))
          .map(name -> name.substring(0, name.length() - TEMPLATE.length()))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw fault(folder, "cannot be read: " + e, "check the path and its permissions");
    }
  }

  /** The file of a named chat template. */
  public static String templateFile(String name) {
    return TEMPLATES + "/" + name + TEMPLATE;
  }

  private static DataException fault(Path file, String problem, String remedy) {
    return new DataException(file.toString(), 0, null, problem, remedy);
  }
}
