package org.hirengine.engine.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;
import org.hirengine.engine.gguf.GgufModel;
import org.jspecify.annotations.Nullable;

/**
 * The shape of a decoder-only transformer, from a Hugging Face {@code config.json} in its form of
 * transformers 4 ({@code rope_theta}, {@code rope_scaling}, {@code torch_dtype}) or 5 ({@code
 * rope_parameters}, {@code dtype}).
 *
 * @param headDim width of one attention head, not always hiddenSize / heads
 * @param qkvBias q, k and v projections have biases (Qwen2)
 * @param qkNorm queries and keys are RMS-normed per head (Qwen3)
 * @param ropeScaling frequency scaling of Llama 3.x, or none
 * @param tied the head is the embedding
 * @param dtype storage type of the weights as the file says it: float32, bfloat16 or float16
 * @param stopIds {@code eos_token_id} of config.json, one or many
 * @param json the file itself, for saving
 */
public record ModelConfig(
    Family family,
    int vocabSize,
    int hiddenSize,
    int intermediateSize,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    boolean qkvBias,
    boolean qkNorm,
    double rmsNormEps,
    double ropeTheta,
    @Nullable RopeScaling ropeScaling,
    boolean tied,
    int maxPositions,
    double initializerRange,
    String dtype,
    Set<Integer> stopIds,
    ObjectNode json) {

  /** Architectures the engine knows, by {@code model_type}. */
  public enum Family {
    QWEN2,
    QWEN3,
    LLAMA
  }

  /** Llama 3's frequency scaling ({@code rope_type} llama3). */
  public record RopeScaling(
      double factor, double lowFrequency, double highFrequency, double originalPositions) {}

  /** Width of q, k and v together. */
  public int qkvSize() {
    return (heads + 2 * kvHeads) * headDim;
  }

  /** Reads {@code config.json} of a model folder, or the file itself, or a GGUF file's metadata. */
  public static ModelConfig read(Path path) {
    if (GgufModel.is(path)) {
      try (GgufModel model = GgufModel.open(path)) {
        return parse(path.toString(), model.config());
      }
    }
    Path file = Files.isDirectory(path) ? path.resolve("config.json") : path;
    JsonNode tree;
    try {
      tree = new ObjectMapper().readTree(file.toFile());
    } catch (IOException e) {
      throw new ModelException(
          file + ": cannot be read as a model's config.json: " + e.getMessage(), e);
    }
    if (!(tree instanceof ObjectNode json)) {
      throw new ModelException(file + ": is not a JSON object");
    }
    return new Reader(file.toString(), json).read();
  }

  /** Reads a configuration held in memory; {@code source} names it in errors. */
  public static ModelConfig parse(String source, ObjectNode json) {
    return new Reader(source, json).read();
  }

  private record Reader(String source, ObjectNode json) {

    ModelConfig read() {
      Family family = family();
      refuseUnsupported(family);
      int heads = size("num_attention_heads");
      int hidden = size("hidden_size");
      int kvHeads = has("num_key_value_heads") ? size("num_key_value_heads") : heads;
      if (heads % kvHeads != 0) {
        throw bad(
            "num_attention_heads " + heads + " is no multiple of num_key_value_heads " + kvHeads);
      }
      if (!has("head_dim") && hidden % heads != 0) {
        throw bad("hidden_size " + hidden + " is no multiple of num_attention_heads " + heads);
      }
      int headDim = has("head_dim") ? size("head_dim") : hidden / heads;
      if (headDim % 2 != 0) {
        throw bad("head_dim " + headDim + " is odd; rotary embeddings need pairs");
      }
      JsonNode rope =
          has("rope_parameters") ? json.get("rope_parameters") : json.path("rope_scaling");
      return new ModelConfig(
          family,
          size("vocab_size"),
          hidden,
          size("intermediate_size"),
          size("num_hidden_layers"),
          heads,
          kvHeads,
          headDim,
          family == Family.QWEN2,
          family == Family.QWEN3,
          number(json, "rms_norm_eps"),
          rope.has("rope_theta") ? number(rope, "rope_theta") : number(json, "rope_theta"),
          scaling(rope),
          json.path("tie_word_embeddings").asBoolean(false),
          size("max_position_embeddings"),
          json.path("initializer_range").asDouble(0.02),
          dtype(),
          stopIds(json.path("eos_token_id")),
          json.deepCopy());
    }

    private Family family() {
      String type = json.path("model_type").asText("");
      return switch (type) {
        case "qwen2" -> Family.QWEN2;
        case "qwen3" -> Family.QWEN3;
        case "llama" -> Family.LLAMA;
        default ->
            throw bad(
                "model_type \""
                    + type
                    + "\" is not supported; the engine runs qwen2 (Qwen2, Qwen2.5), qwen3 (dense)"
                    + " and llama (Llama 3.x)");
      };
    }

    private void refuseUnsupported(Family family) {
      String activation = json.path("hidden_act").asText("silu");
      if (!activation.equals("silu")) {
        throw bad("hidden_act \"" + activation + "\" is not supported, only silu");
      }
      if (json.path("use_sliding_window").asBoolean(false)) {
        throw bad("use_sliding_window is not supported");
      }
      for (JsonNode type : json.path("layer_types")) {
        if (!type.asText().equals("full_attention")) {
          throw bad("layer_types holds " + type + "; only full_attention is supported");
        }
      }
      if (family != Family.QWEN2 && json.path("attention_bias").asBoolean(false)) {
        throw bad("attention_bias is not supported for model_type " + lower(family));
      }
      if (json.path("mlp_bias").asBoolean(false)) {
        throw bad("mlp_bias is not supported");
      }
      if (has("quantization_config")) {
        throw bad("quantized weights are not supported; use the bfloat16 or float32 checkpoint");
      }
    }

    private @Nullable RopeScaling scaling(JsonNode rope) {
      if (!rope.isObject()) {
        return null;
      }
      String type = rope.path("rope_type").asText(rope.path("type").asText("default"));
      return switch (type) {
        case "default" -> null;
        case "llama3" ->
            new RopeScaling(
                number(rope, "factor"),
                number(rope, "low_freq_factor"),
                number(rope, "high_freq_factor"),
                number(rope, "original_max_position_embeddings"));
        default ->
            throw bad("rope type \"" + type + "\" is not supported, only default and llama3");
      };
    }

    private String dtype() {
      String dtype = json.path("dtype").asText(json.path("torch_dtype").asText("float32"));
      return switch (dtype) {
        case "float32", "bfloat16", "float16" -> dtype;
        default -> throw bad("dtype \"" + dtype + "\" is not supported");
      };
    }

    private boolean has(String key) {
      return json.hasNonNull(key);
    }

    private int size(String key) {
      JsonNode node = json.path(key);
      if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < 1) {
        throw bad(key + " must be a positive whole number, found " + shown(node));
      }
      return node.intValue();
    }

    private double number(JsonNode parent, String key) {
      JsonNode node = parent.path(key);
      if (!node.isNumber() || !(node.doubleValue() > 0)) {
        throw bad(key + " must be a positive number, found " + shown(node));
      }
      return node.doubleValue();
    }

    private static String shown(JsonNode node) {
      return node.isMissingNode() ? "nothing" : node.toString();
    }

    private static String lower(Family family) {
      return family.name().toLowerCase(Locale.ROOT);
    }

    private ModelException bad(String what) {
      return new ModelException(source + ": " + what);
    }
  }

  /** One id, a list of ids, or none. */
  public static Set<Integer> stopIds(JsonNode node) {
    Set<Integer> ids = new LinkedHashSet<>();
    if (node.isInt()) {
      ids.add(node.intValue());
    }
    for (JsonNode id : node) {
      if (id.isInt()) {
        ids.add(id.intValue());
      }
    }
    return ids;
  }
}
