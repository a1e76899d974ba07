package org.hirengine.engine.model;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.hirengine.engine.gguf.GgufModel;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.ModelShape;
import org.jspecify.annotations.Nullable;

/**
 * The shape of a decoder-only transformer, from a Hugging Face {@code config.json} in its form of
 * transformers 4 ({@code rope_theta}, {@code rope_scaling}, {@code torch_dtype}) or 5 ({@code
 * rope_parameters}, {@code dtype}). A file that contradicts itself, or leaves out what readers fill
 * in differently, is refused.
 *
 * @param headDim width of one attention head, not always hiddenSize / heads
 * @param qkvBias q, k and v projections have biases (Qwen2)
 * @param qkNorm queries and keys are RMS-normed per head (Qwen3)
 * @param ropeScaling frequency scaling of Llama 3.x, or none
 * @param windows sliding window of each layer: how many tokens one sees, itself included, or 0 for
 *     all before it
 * @param tied the head is the embedding
 * @param dtype storage type of the weights according to the file: float32, bfloat16 or float16
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
    List<Integer> windows,
    boolean tied,
    int maxPositions,
    double initializerRange,
    String dtype,
    Set<Integer> stopIds,
    ObjectNode json) {

  private static final String FILE = "config.json";
  private static final String ADAPTER = "adapter_config.json";

  /** Duplicate keys and text after the object are ambiguous, so both are refused. */
  private static final ObjectMapper STRICT =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** Architectures the engine knows, by {@code model_type}. */
  public enum Family {
    QWEN2,
    QWEN3,
    LLAMA,
    MISTRAL
  }

  /** Llama 3's frequency scaling ({@code rope_type} llama3). */
  public record RopeScaling(
      double factor, double lowFrequency, double highFrequency, double originalPositions) {}

  /** Shapes of all parameters by Hugging Face name, rows first; without a tied head. */
  public Map<String, List<Long>> shapes() {
    Map<String, List<Long>> shapes = new LinkedHashMap<>();
    new ParameterLayout(this)
        .slices()
        .forEach((name, slice) -> shapes.put(name, Arrays.stream(slice.shape()).boxed().toList()));
    return shapes;
  }

  /** Width of q, k and v together. */
  public int qkvSize() {
    return (heads + 2 * kvHeads) * headDim;
  }

  /** What kernels are made for. */
  public ModelShape shape(DType compute) {
    return new ModelShape(
        layers,
        hiddenSize,
        intermediateSize,
        heads,
        kvHeads,
        headDim,
        vocabSize,
        rmsNormEps,
        compute,
        windows);
  }

  /** The same model with an untied head. */
  ModelConfig untied() {
    ObjectNode written = json.deepCopy().put("tie_word_embeddings", false);
    return parse("the model without tied embeddings", written);
  }

  /**
   * Refuses a token id that the embedding has no row for: LibTorch would read past the embedding.
   */
  void checkToken(int id) {
    if (id < 0 || id >= vocabSize) {
      throw new IllegalArgumentException(
          "token id " + id + " is outside of the model's vocabulary of " + vocabSize);
    }
  }

  /**
   * Refuses a tokenizer that has more tokens than the embedding has rows.
   *
   * @param folder folder of both files
   * @param tokens one more than the tokenizer's highest id
   */
  public void checkTokenizer(Path folder, int tokens) {
    if (tokens > vocabSize) {
      throw new ModelException(
          folder
              + ": the tokenizer has "
              + tokens
              + " tokens, the model's embedding only "
              + vocabSize
              + " rows (vocab_size); are they of the same model?",
          "copy tokenizer and weights from the same source; tokens that were added need an"
              + " embedding that was resized with them");
    }
  }

  /** Reads {@code config.json} of a model folder, or the file itself, or a GGUF file's metadata. */
  public static ModelConfig read(Path path) {
    if (!Files.exists(path)) {
      throw ModelException.absent(path);
    }
    if (GgufModel.is(path)) {
      try (GgufModel model = GgufModel.open(path)) {
        return parse(path.toString(), model.config());
      }
    }
    if (Files.isDirectory(path)) {
      checkAdapter(path);
    }
    Path file = Files.isDirectory(path) ? path.resolve(FILE) : path;
    if (!Files.exists(file)) {
      throw new ModelException(
          file + ": no such file",
          "give the folder of a model: config.json, model.safetensors, tokenizer.json");
    }
    JsonNode tree;
    try {
      tree = STRICT.readTree(file.toFile());
    } catch (IOException e) {
      throw new ModelException(
          file + ": cannot be read as a model's config.json: " + e.getMessage(), e);
    }
    if (!(tree instanceof ObjectNode json)) {
      throw new ModelException(file + ": is not a JSON object");
    }
    return new Reader(file.toString(), json).read();
  }

  /**
   * An adapter is not a model, and if it is in a model's folder some readers apply it while others
   * do not.
   */
  private static void checkAdapter(Path folder) {
    Path adapter = folder.resolve(ADAPTER);
    if (!Files.exists(adapter)) {
      return;
    }
    String base;
    try {
      base = new ObjectMapper().readTree(adapter.toFile()).path("base_model_name_or_path").asText();
    } catch (IOException e) {
      base = "";
    }
    throw new ModelException(
        folder
            + (Files.exists(folder.resolve(FILE))
                ? ": holds a model and, in " + ADAPTER + ", an adapter as well"
                : ": is a PEFT adapter (" + ADAPTER + "), not a model")
            + (base.isEmpty() ? "" : "; the adapter's base model is " + base),
        "give a folder with a model alone: the base model, or one that the adapter was merged into"
            + " (in Python: merge_and_unload() and save_pretrained())");
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
      int kvHeads = kvHeads(family, heads);
      int headDim = headDim(family, hidden, heads);
      Rope rope = new Rope();
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
          rope.theta(),
          rope.scaling(),
          new Windows(family).read(),
          flag("tie_word_embeddings"),
          size("max_position_embeddings"),
          has("initializer_range") ? number(json, "initializer_range") : 0.02,
          dtype(),
          stopIds(source, json),
          json.deepCopy());
    }

    private int kvHeads(Family family, int heads) {
      // Absent, not null: transformers then takes 32 for Qwen and 8 for Mistral.
      int filled = family == Family.MISTRAL ? 8 : 32;
      if (family != Family.LLAMA && !json.has("num_key_value_heads") && heads != filled) {
        throw bad(
            "num_key_value_heads is missing; readers fill in "
                + filled
                + " or num_attention_heads, "
                + heads
                + ": write it");
      }
      int kvHeads = has("num_key_value_heads") ? size("num_key_value_heads") : heads;
      if (heads % kvHeads != 0) {
        throw bad(
            "num_attention_heads " + heads + " is no multiple of num_key_value_heads " + kvHeads);
      }
      return kvHeads;
    }

    private int headDim(Family family, int hidden, int heads) {
      if (!has("head_dim") && hidden % heads != 0) {
        throw bad("hidden_size " + hidden + " is no multiple of num_attention_heads " + heads);
      }
      int headDim = has("head_dim") ? size("head_dim") : hidden / heads;
      if (family == Family.QWEN3 && !has("head_dim") && headDim != 128) {
        throw bad(
            "head_dim is missing; readers fill in 128 or hidden_size / num_attention_heads, "
                + headDim
                + ": write it");
      }
      if (headDim % 2 != 0) {
        throw bad("head_dim " + headDim + " is odd; rotary embeddings need pairs");
      }
      return headDim;
    }

    private Family family() {
      String type = json.path("model_type").asText("");
      return switch (type) {
        case "qwen2" -> Family.QWEN2;
        case "qwen3" -> Family.QWEN3;
        case "llama" -> Family.LLAMA;
        case "mistral" -> Family.MISTRAL;
        default ->
            throw bad(
                "model_type "
                    + (type.isEmpty() ? "is missing" : "\"" + type + "\" is not supported")
                    + "; the engine runs qwen2 (Qwen2, Qwen2.5), qwen3 (dense Qwen3), llama (Llama,"
                    + " SmolLM2, TinyLlama) and mistral (Mistral 7B, Mistral Nemo)");
      };
    }

    private void refuseUnsupported(Family family) {
      refuseOtherArchitectures(family);
      String activation = json.path("hidden_act").asText("silu");
      if (!activation.equals("silu")) {
        throw bad("hidden_act \"" + activation + "\" is not supported, only silu");
      }
      if (family != Family.QWEN2 && flag("attention_bias")) {
        throw bad("attention_bias is not supported for model_type " + lower(family));
      }
      for (String other : List.of("mlp_bias", "rope_interleaved")) {
        if (flag(other)) {
          throw bad(other + " is not supported");
        }
      }
      if (has("quantization_config")) {
        throw bad("quantized weights are not supported; use the bfloat16 or float32 checkpoint");
      }
    }

    /** Some readers use model_type, others architectures. */
    private void refuseOtherArchitectures(Family family) {
      for (JsonNode architecture : json.path("architectures")) {
        for (Family other : Family.values()) {
          if (other != family
              && architecture.asText().toUpperCase(Locale.ROOT).startsWith(other.name() + "FOR")) {
            throw bad(
                "model_type is " + lower(family) + ", but architectures holds " + architecture);
          }
        }
      }
    }

    /**
     * Sliding windows. Mistral has {@code sliding_window} in all layers, Qwen in those from {@code
     * max_window_layers} on, if {@code use_sliding_window}. Transformers 5 writes {@code
     * layer_types} as well; readers that know one of the two must find the same in it.
     */
    private final class Windows {

      private static final String WINDOW = "sliding_window";
      private static final String USE = "use_sliding_window";
      private static final String FIRST = "max_window_layers";
      private static final String TYPES = "layer_types";
      private static final String SLIDING = "sliding_attention";

      private final Family family;
      private final int layers = size("num_hidden_layers");

      Windows(Family family) {
        this.family = family;
      }

      List<Integer> read() {
        int window =
            switch (family) {
              case QWEN2, QWEN3 -> qwen();
              case MISTRAL -> mistral();
              case LLAMA -> llama();
            };
        List<Boolean> sliding = sliding(window);
        List<Integer> windows = new ArrayList<>();
        for (boolean slides : sliding) {
          // No sequence is longer than the positions.
          windows.add(slides && window < size("max_position_embeddings") ? window : 0);
        }
        return List.copyOf(windows);
      }

      private int qwen() {
        if (!flag(USE)) {
          return 0;
        }
        if (!has(WINDOW)) {
          throw bad(USE + " is true, but " + WINDOW + " is missing: write it");
        }
        return size(WINDOW);
      }

      private int mistral() {
        if (!json.has(WINDOW)) {
          throw bad(WINDOW + " is missing; readers fill in 4096 or none: write it, null for none");
        }
        if (has(USE) && flag(USE) != has(WINDOW)) {
          throw bad(
              USE
                  + " is "
                  + json.get(USE)
                  + ", but "
                  + WINDOW
                  + " "
                  + json.get(WINDOW)
                  + "; only some readers look at the first: remove it");
        }
        return has(WINDOW) ? size(WINDOW) : 0;
      }

      private int llama() {
        if (flag(USE)) {
          throw bad(USE + " is not supported for model_type llama");
        }
        if (has(WINDOW) && size(WINDOW) < size("max_position_embeddings")) {
          throw bad(
              WINDOW
                  + " "
                  + json.get(WINDOW)
                  + " is ignored by some readers for model_type llama, and used by others: remove"
                  + " it, or use model_type mistral");
        }
        return 0;
      }

      private List<Boolean> sliding(int window) {
        JsonNode types = json.path(TYPES);
        if (has(TYPES) && (!types.isArray() || types.size() != layers)) {
          throw bad(TYPES + " must list num_hidden_layers types, found " + types);
        }
        boolean qwen = family == Family.QWEN2 || family == Family.QWEN3;
        if (window > 0 && qwen && !has(FIRST) && !has(TYPES)) {
          throw bad(USE + " is true, but " + FIRST + " and " + TYPES + " are missing: write one");
        }
        int first = window > 0 && qwen && has(FIRST) ? first() : 0;
        List<Boolean> sliding = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
          boolean slides = window > 0 && i >= first;
          if (has(TYPES)) {
            boolean said = type(i);
            boolean free = window > 0 && qwen && !has(FIRST);
            if (said != slides && !free) {
              throw bad(contradiction(i, window));
            }
            slides = said;
          }
          sliding.add(slides);
        }
        return sliding;
      }

      private int first() {
        JsonNode first = json.path(FIRST);
        if (!first.isIntegralNumber() || !first.canConvertToInt() || first.intValue() < 0) {
          throw bad(FIRST + " must be a whole number, at least 0, found " + first);
        }
        return first.intValue();
      }

      /** Whether a layer's type has a window. */
      private boolean type(int layer) {
        JsonNode type = json.path(TYPES).get(layer);
        if (!type.asText().equals(SLIDING) && !type.asText().equals("full_attention")) {
          throw bad(
              TYPES + " holds " + type + "; only full_attention and " + SLIDING + " are known");
        }
        return type.asText().equals(SLIDING);
      }

      private String contradiction(int layer, int window) {
        String holds = TYPES + " holds " + json.path(TYPES).get(layer) + " for layer " + layer;
        if (window == 0) {
          String key = family == Family.MISTRAL ? WINDOW + " is null" : USE + " is not true";
          return holds + ", but " + (family == Family.LLAMA ? "llama has no windows" : key);
        }
        return family == Family.MISTRAL
            ? holds + ", but " + WINDOW + " is every layer's for model_type mistral"
            : holds + ", but " + FIRST + " is " + json.get(FIRST) + "; keep one of the two";
      }
    }

    /**
     * Rotary embeddings, which transformers 5 describes in rope_parameters and version 4 in
     * rope_scaling and rope_theta. If a file has both, version 5 prefers rope_scaling, other
     * readers rope_parameters.
     */
    private final class Rope {

      private static final String NOW = "rope_parameters";
      private static final String BEFORE = "rope_scaling";

      private final JsonNode rules;

      Rope() {
        JsonNode now = json.path(NOW);
        JsonNode before = json.path(BEFORE);
        check(NOW);
        check(BEFORE);
        if (has(NOW) && has(BEFORE)) {
          agree(now, before);
        }
        rules = has(NOW) ? now : before;
        full(rules);
        full(json);
      }

      private void check(String field) {
        if (!has(field)) {
          return;
        }
        JsonNode rope = json.get(field);
        if (!rope.isObject()) {
          throw bad(field + " must be an object, found " + rope);
        }
        if (rope.has("type")
            && rope.has("rope_type")
            && !rope.get("type").equals(rope.get("rope_type"))) {
          throw bad(
              field + " has type " + rope.get("type") + " and rope_type " + rope.get("rope_type"));
        }
        for (Map.Entry<String, JsonNode> entry : rope.properties()) {
          if (entry.getValue().isObject()) {
            throw bad(field + " by kind of layer (" + entry.getKey() + ") is not supported");
          }
          if (entry.getKey().equals("factor") && !rope.has("type") && !rope.has("rope_type")) {
            throw bad(field + " has a factor and no rope_type");
          }
        }
      }

      private void agree(JsonNode now, JsonNode before) {
        Set<String> keys = new TreeSet<>();
        now.fieldNames().forEachRemaining(keys::add);
        before.fieldNames().forEachRemaining(keys::add);
        keys.removeAll(Set.of("type", "rope_type", "rope_theta"));
        boolean same = type(now).equals(type(before));
        String differing = same ? "" : "rope_type";
        for (String key : keys) {
          JsonNode a = now.path(key);
          JsonNode b = before.path(key);
          boolean equal =
              (a.isNumber() && b.isNumber()) ? a.doubleValue() == b.doubleValue() : a.equals(b);
          if (!equal && differing.isEmpty()) {
            differing = key;
          }
        }
        if (!differing.isEmpty()) {
          throw bad(
              NOW
                  + " and "
                  + BEFORE
                  + " disagree on "
                  + differing
                  + ": "
                  + now
                  + ", "
                  + before
                  + "; keep the one that the model was trained with");
        }
      }

      private static String type(JsonNode rope) {
        return rope.path("rope_type").asText(rope.path("type").asText("default"));
      }

      private void full(JsonNode owner) {
        JsonNode factor = owner.path("partial_rotary_factor");
        if (!factor.isMissingNode() && !factor.isNull() && factor.doubleValue() != 1) {
          throw bad("partial_rotary_factor " + factor + " is not supported, only 1");
        }
      }

      double theta() {
        Map<String, Double> said = new LinkedHashMap<>();
        for (String field : new String[] {NOW, BEFORE}) {
          if (json.path(field).has("rope_theta")) {
            said.put(field + ".rope_theta", number(json.path(field), "rope_theta"));
          }
        }
        if (has("rope_theta") || said.isEmpty()) {
          said.put("rope_theta", number(json, "rope_theta"));
        }
        if (Set.copyOf(said.values()).size() > 1) {
          throw bad("rope_theta is given twice, differently: " + said + "; keep one");
        }
        return said.values().iterator().next();
      }

      @Nullable RopeScaling scaling() {
        return switch (type(rules)) {
          case "default" -> null;
          case "llama3" -> llama3();
          default ->
              throw bad(
                  "rope type \"" + type(rules) + "\" is not supported, only default and llama3");
        };
      }

      private RopeScaling llama3() {
        RopeScaling scaling =
            new RopeScaling(
                number(rules, "factor"),
                number(rules, "low_freq_factor"),
                number(rules, "high_freq_factor"),
                number(rules, "original_max_position_embeddings"));
        if (!(scaling.lowFrequency < scaling.highFrequency)) {
          throw bad(
              "low_freq_factor "
                  + scaling.lowFrequency
                  + " must be less than high_freq_factor "
                  + scaling.highFrequency);
        }
        if (has("original_max_position_embeddings")
            && number(json, "original_max_position_embeddings") != scaling.originalPositions) {
          throw bad("original_max_position_embeddings is given twice, differently; keep one");
        }
        return scaling;
      }
    }

    private String dtype() {
      if (has("dtype")
          && has("torch_dtype")
          && !json.get("dtype").equals(json.get("torch_dtype"))) {
        throw bad(
            "dtype is "
                + json.get("dtype")
                + ", but torch_dtype "
                + json.get("torch_dtype")
                + "; keep one");
      }
      JsonNode given = has("dtype") ? json.get("dtype") : json.path("torch_dtype");
      String dtype = given.isMissingNode() || given.isNull() ? "float32" : given.asText();
      return switch (dtype) {
        case "float32", "bfloat16", "float16" -> dtype;
        default -> throw bad("dtype \"" + dtype + "\" is not supported");
      };
    }

    /** Absent and null are false. */
    private boolean flag(String key) {
      if (has(key) && !json.get(key).isBoolean()) {
        throw bad(key + " must be true or false, found " + json.get(key));
      }
      return json.path(key).asBoolean(false);
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

  /**
   * {@code eos_token_id} of a JSON file: one id, a list of ids, or none.
   *
   * @param source names the file in errors
   */
  public static Set<Integer> stopIds(String source, JsonNode file) {
    JsonNode node = file.path("eos_token_id");
    Set<Integer> ids = new LinkedHashSet<>();
    for (JsonNode id : node.isArray() ? node : List.of(node)) {
      if (id.isIntegralNumber() && id.canConvertToInt()) {
        ids.add(id.intValue());
      } else if (node.isArray() || !(id.isNull() || id.isMissingNode())) {
        throw new ModelException(
            source + ": eos_token_id must be a token id or a list of them, found " + node);
      }
    }
    return ids;
  }
}
