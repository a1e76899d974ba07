package org.hirengine.engine.gguf;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.hirengine.replay.DataException;

/**
 * The small text files of a model by their Hugging Face names, wherever they come from: a model
 * folder holds them, a GGUF file's metadata says what would be in them.
 */
public final class ModelFiles {

  private ModelFiles() {}

  /** How errors call a file of a model. */
  public static String label(Path model, String name) {
    return GgufModel.is(model) ? model + " (" + name + ")" : model.resolve(name).toString();
  }

  /**
   * One of the files as text, or nothing where the model has no such file.
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

  private static DataException fault(Path file, String problem, String remedy) {
    return new DataException(file.toString(), 0, null, problem, remedy);
  }
}
