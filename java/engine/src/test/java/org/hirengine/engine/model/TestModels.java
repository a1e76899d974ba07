package org.hirengine.engine.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.random.RandomGenerator;

/** Small random models for tests. */
public final class TestModels {

  private TestModels() {}

  /**
   * A model of 2 layers with width 32 and grouped heads.
   *
   * @param type qwen2, qwen3, llama or mistral, which has a window of 7 tokens
   * @param scale standard deviation of the weights; 0.3 gives peaked distributions
   */
  public static ModelConfig config(String type, int vocabulary, double scale) {
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.put("model_type", type);
    json.put("vocab_size", vocabulary);
    json.put("hidden_size", 32);
    json.put("intermediate_size", 64);
    json.put("num_hidden_layers", 2);
    json.put("num_attention_heads", 4);
    json.put("num_key_value_heads", 2);
    json.put("head_dim", 16);
    json.put("rms_norm_eps", 1e-6);
    json.put("rope_theta", 10000.0);
    json.put("max_position_embeddings", 256);
    json.put("initializer_range", scale);
    json.put("tie_word_embeddings", !type.equals("qwen3"));
    if (type.equals("mistral")) {
      json.put("sliding_window", 7);
    }
    return ModelConfig.parse("test", json);
  }

  public static int[] tokens(RandomGenerator random, int count, int vocabulary) {
    return random.ints(count, 0, vocabulary).toArray();
  }
}
