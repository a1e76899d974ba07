package org.hirengine.engine.tokens;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.Optional;
import org.hirengine.engine.gguf.ModelFiles;
import org.hirengine.replay.DataException;
import org.jspecify.annotations.Nullable;

/** Reads the small JSON files of a model, with errors that name the file. */
final class ModelFile {

  static final ObjectMapper JSON = new ObjectMapper();

  private ModelFile() {}

  /**
   * The JSON object of a file, or null when the model has no such file.
   *
   * @param model a folder or a GGUF file
   */
  static @Nullable JsonNode object(Path model, String name) {
    Optional<String> text = ModelFiles.text(model, name);
    if (text.isEmpty()) {
      return null;
    }
    String label = ModelFiles.label(model, name);
    JsonNode root;
    try {
      root = JSON.readTree(text.get());
    } catch (JsonProcessingException e) {
      throw malformed(label, e);
    }
    if (!root.isObject()) {
      throw new DataException(
          label, 0, null, "is not a JSON object", "copy the file again from its source");
    }
    return root;
  }

  static DataException malformed(String file, JsonProcessingException e) {
    return new DataException(
        file,
        e.getLocation() == null ? 0 : e.getLocation().getLineNr(),
        null,
        "is not valid JSON: " + e.getOriginalMessage(),
        "copy the file again from its source");
  }
}
