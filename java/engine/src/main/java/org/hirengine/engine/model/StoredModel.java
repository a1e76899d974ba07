package org.hirengine.engine.model;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A model on disk whose configuration and weights have been checked against each other: every
 * parameter exists with its shape, and no tensor is left over.
 *
 * @param config untied if the file ties the head to the embedding but the weights have a head that
 *     differs: the head counts, as in transformers 5
 * @param shapes of the parameters by Hugging Face name, rows first
 */
public record StoredModel(
    Path source, ModelConfig config, ModelWeights weights, Map<String, List<Long>> shapes)
    implements AutoCloseable {

  /**
   * Opens a model with its own configuration.
   *
   * @param model a folder or a GGUF file
   * @throws ModelException or {@link org.hirengine.replay.DataException} naming the file, the
   *     tensor or field, and what to do
   */
  public static StoredModel open(Path model) {
    return open(model, ModelConfig.read(model));
  }

  /** Opens a model with a configuration that was read before. */
  static StoredModel open(Path model, ModelConfig config) {
    ModelWeights weights = ModelWeights.open(model);
    try {
      ModelConfig held = headOf(weights, config);
      StoredModel stored = new StoredModel(model, held, weights, held.shapes());
      stored.check();
      return stored;
    } catch (RuntimeException e) {
      weights.close();
      throw e;
    }
  }

  /** A GGUF file's configuration is made from its tensors, so the two never disagree. */
  private static ModelConfig headOf(ModelWeights weights, ModelConfig config) {
    return config.tied()
            && weights instanceof Safetensors stored
            && stored.contains(ParameterLayout.HEAD)
            && stored.contains(ParameterLayout.EMBEDDING)
            && !stored.same(ParameterLayout.HEAD, ParameterLayout.EMBEDDING)
        ? config.untied()
        : config;
  }

  private void check() {
    shapes.forEach(
        (name, shape) -> {
          List<Long> found = weights.shape(tensor(name));
          if (!found.equals(shape)) {
            throw new ModelException(
                source + ": tensor " + name + " has shape " + found + ", expected " + shape);
          }
        });
    for (String name : weights.names()) {
      boolean known =
          shapes.containsKey(name)
              || name.endsWith("rotary_emb.inv_freq")
              || (config.tied() && name.equals(ParameterLayout.HEAD));
      if (!known) {
        throw new ModelException(
            source
                + ": tensor "
                + name
                + " is not part of the model that config.json describes; are config and weights of"
                + " the same model?");
      }
    }
  }

  /** The same with an adapter merged into its weights; closing either closes both. */
  public StoredModel merged(Lora.Source adapter) {
    return new StoredModel(source, config, new MergedWeights(weights, config, adapter), shapes);
  }

  /** The tensor that a parameter is read from: for a tied pair, the one that exists. */
  public String tensor(String parameter) {
    if (weights.names().contains(parameter)) {
      return parameter;
    }
    if (config.tied()
        && parameter.equals(ParameterLayout.EMBEDDING)
        && weights.names().contains(ParameterLayout.HEAD)) {
      return ParameterLayout.HEAD;
    }
    throw new ModelException(
        source
            + ": holds no tensor "
            + parameter
            + (parameter.equals(ParameterLayout.HEAD)
                ? ", and config.json does not tie the head to the embedding; if they are the same,"
                    + " set tie_word_embeddings to true"
                : ", which config.json asks for; are config and weights of the same model?"));
  }

  @Override
  public void close() {
    weights.close();
  }
}
