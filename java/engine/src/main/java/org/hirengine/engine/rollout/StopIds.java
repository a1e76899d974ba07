package org.hirengine.engine.rollout;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import org.hirengine.engine.gguf.ModelFiles;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.ModelException;

/**
 * The token ids that end a response: the union of those in generation_config.json, in config.json,
 * and from the tokenizer (its eos token, the chat template's end of turn).
 */
public final class StopIds {

  private static final String FILE = "generation_config.json";

  private StopIds() {}

  /**
   * Stop ids of a model.
   *
   * @param model a folder or a GGUF file
   * @param tokenizerIds from the tokenizer and its chat template; may be empty
   */
  public static Set<Integer> of(Path model, ModelConfig config, Set<Integer> tokenizerIds) {
    Set<Integer> ids = new LinkedHashSet<>();
    Optional<String> generation = ModelFiles.text(model, FILE);
    if (generation.isPresent()) {
      try {
        JsonNode json = new ObjectMapper().readTree(generation.get());
        ids.addAll(ModelConfig.stopIds(ModelFiles.label(model, FILE), json));
      } catch (JsonProcessingException e) {
        throw new ModelException(
            ModelFiles.label(model, FILE) + ": cannot be read as JSON: " + e.getMessage(), e);
      }
    }
    ids.addAll(config.stopIds());
    ids.addAll(tokenizerIds);
    return Collections.unmodifiableSet(ids);
  }
}
