package org.hirengine.engine.convert;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.hirengine.engine.gguf.GgufWriter;
import org.hirengine.engine.gguf.ModelFiles;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.ModelException;
import org.hirengine.engine.tokens.SpecialTokens;
import org.jspecify.annotations.Nullable;

/** The metadata of a GGUF model, under the keys that llama.cpp's converter writes. */
final class GgufMetadata {

  private static final String TOKENIZER = "tokenizer.json";
  private static final String SETTINGS = "tokenizer_config.json";
  private static final String GENERATION = "generation_config.json";
  private static final String TEMPLATE = "tokenizer.chat_template";
  private static final String IDS = "tokenizer.ggml.";

  private final Path source;
  private final ModelConfig config;

  GgufMetadata(Path source, ModelConfig config) {
    this.source = source;
    this.config = config;
  }

  /** What llama.cpp calls the model's family; a Mistral is a llama to it. */
  static String architecture(ModelConfig config) {
    return switch (config.family()) {
      case QWEN2 -> "qwen2";
      case QWEN3 -> "qwen3";
      case LLAMA, MISTRAL -> "llama";
    };
  }

  void write(GgufWriter to, ModelConverter.Storage type) {
    if (config.windows().stream().anyMatch(window -> window > 0)) {
      throw new ModelException(
          source
              + ": has a sliding window (sliding_window in config.json), which llama.cpp does not"
              + " apply to such models",
          "convert to a folder instead of a .gguf file");
    }
    String family = architecture(config);
    to.put("general.architecture", family);
    to.put("general.type", "model");
    String name = source.toAbsolutePath().normalize().getFileName().toString();
    to.put("general.name", name.replaceAll("(?i)\\.gguf$", ""));
    to.put("general.file_type", type.number);
    to.put("general.quantization_version", 2);
    to.put(family + ".vocab_size", config.vocabSize());
    to.put(family + ".context_length", config.maxPositions());
    to.put(family + ".embedding_length", config.hiddenSize());
    to.put(family + ".block_count", config.layers());
    to.put(family + ".feed_forward_length", config.intermediateSize());
    to.put(family + ".attention.head_count", config.heads());
    to.put(family + ".attention.head_count_kv", config.kvHeads());
    to.put(family + ".attention.key_length", config.headDim());
    to.put(family + ".attention.value_length", config.headDim());
    to.put(family + ".attention.layer_norm_rms_epsilon", config.rmsNormEps());
    to.put(family + ".rope.dimension_count", config.headDim());
    to.put(family + ".rope.freq_base", config.ropeTheta());
    tokenizer(to);
    templates(to);
  }

  private void tokenizer(GgufWriter to) {
    JsonNode tokenizer = object(TOKENIZER);
    if (tokenizer == null) {
      throw new ModelException(
          source + ": holds no " + TOKENIZER + ", without which the GGUF file would be unusable");
    }
    TokenTable table =
        TokenTable.of(ModelFiles.label(source, TOKENIZER), tokenizer, config.vocabSize());
    table.write(to);
    SpecialTokens roles = SpecialTokens.load(source);
    Integer bos = id(table, "bos_token", roles.bos());
    Integer eos = id(table, "eos_token", roles.eos());
    put(to, "bos", bos);
    put(to, "eos", eos);
    put(to, "padding", id(table, "pad_token", roles.pad()));
    put(to, "unknown", id(table, "unk_token", roles.byName().get("unk_token")));
    otherEnds(to, table, eos);
    to.put(IDS + "add_bos_token", bos != null && table.begins(bos));
    to.put(IDS + "add_eos_token", eos != null && table.ends(eos));
  }

  private @Nullable Integer id(TokenTable table, String role, @Nullable String token) {
    if (token == null) {
      return null;
    }
    Integer id = table.ids().get(token);
    if (id == null) {
      throw new ModelException(
          ModelFiles.label(source, SETTINGS)
              + ": "
              + role
              + " '"
              + token
              + "' is not a token of "
              + TOKENIZER);
    }
    return id;
  }

  private static void put(GgufWriter to, String role, @Nullable Integer id) {
    if (id != null) {
      to.put(IDS + role + "_token_id", id.longValue());
    }
  }

  /** Two more roles hold further ids that end a response: end of turn, and end of message. */
  private void otherEnds(GgufWriter to, TokenTable table, @Nullable Integer eos) {
    Set<Integer> ends = new LinkedHashSet<>();
    JsonNode generation = object(GENERATION);
    if (generation != null) {
      ends.addAll(ModelConfig.stopIds(ModelFiles.label(source, GENERATION), generation));
    }
    ends.addAll(config.stopIds());
    ends.remove(eos);
    List<Integer> others = new ArrayList<>(ends);
    others.removeIf(id -> id < 0 || id >= table.tokens().size());
    if (others.size() > 2) {
      throw new ModelException(
          source
              + ": a response ends at "
              + ends
              + " and "
              + eos
              + "; a GGUF file has room for three such ids");
    }
    if (others.size() > 1 || (eos == null && !others.isEmpty())) {
      boolean swap = table.tokens().get(others.get(0)).contains("eom");
      if (swap) {
        others.add(others.remove(0));
      }
    }
    List<String> roles = eos == null ? List.of("eos", "eot", "eom") : List.of("eot", "eom");
    for (int i = 0; i < others.size(); i++) {
      put(to, roles.get(i), others.get(i));
    }
  }

  private void templates(GgufWriter to) {
    Map<String, String> templates = new LinkedHashMap<>();
    ModelFiles.text(source, "chat_template.jinja").ifPresent(t -> templates.put("default", t));
    ModelFiles.templates(source)
        .forEach(
            name ->
                ModelFiles.text(source, ModelFiles.templateFile(name))
                    .ifPresent(text -> templates.put(name, text)));
    JsonNode settings = object(SETTINGS);
    JsonNode listed = settings == null ? null : settings.get("chat_template");
    if (templates.isEmpty() && listed != null) {
      if (listed.isTextual()) {
        templates.put("default", listed.asText());
      }
      for (JsonNode entry : listed) {
        templates.put(entry.path("name").asText(), entry.path("template").asText());
      }
    }
    String main = templates.remove("default");
    if (main != null) {
      to.put(TEMPLATE, main);
    }
    if (!templates.isEmpty()) {
      to.putTexts("tokenizer.chat_templates", List.copyOf(templates.keySet()));
      templates.forEach((name, text) -> to.put(TEMPLATE + "." + name, text));
    }
  }

  private @Nullable JsonNode object(String file) {
    String text = ModelFiles.text(source, file).orElse(null);
    if (text == null) {
      return null;
    }
    try {
      return new ObjectMapper().readTree(text);
    } catch (JsonProcessingException e) {
      throw new ModelException(
          ModelFiles.label(source, file) + ": is not valid JSON: " + e.getOriginalMessage(), e);
    }
  }
}
