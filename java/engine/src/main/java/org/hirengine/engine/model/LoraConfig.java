package org.hirengine.engine.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.hirengine.engine.config.LoraTargets;
import org.hirengine.text.CodePoints;
import org.hirengine.text.regex.PyPattern;
import org.hirengine.text.regex.PyPatternException;
import org.jspecify.annotations.Nullable;

/**
 * An adapter's configuration, as in PEFT's {@code adapter_config.json}: which projections, with
 * which rank and scale. Read by the rules of PEFT's {@code LoraConfig}, {@code
 * check_target_module_exists} and {@code get_pattern_key}; a setting that changes the computation
 * and is not supported is refused by name.
 */
public final class LoraConfig {

  /** The file's name in an adapter's folder. */
  public static final String FILE = "adapter_config.json";

  /** Settings without effect here: names, notes, and details of what is refused below. */
  private static final Set<String> NOTES =
      Set.of(
          "auto_mapping",
          "base_model_name_or_path",
          "ensure_weight_tying",
          "inference_mode",
          "lora_dropout",
          "megatron_core",
          "peft_version",
          "qalora_group_size",
          "revision",
          "runtime_config");

  /** Values of init_lora_weights that do not change the base model. */
  private static final Set<String> HARMLESS_STARTS =
      Set.of("true", "false", "null", "gaussian", "orthogonal", "eva");

  private static final Set<String> READ =
      Set.of(
          "alpha_pattern",
          "bias",
          "exclude_modules",
          "fan_in_fan_out",
          "init_lora_weights",
          "layers_pattern",
          "layers_to_transform",
          "lora_alpha",
          "peft_type",
          "r",
          "rank_pattern",
          "target_modules",
          "task_type",
          "use_rslora");

  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * One adapted projection.
   *
   * @param module PEFT's name, such as {@code model.layers.0.self_attn.q_proj}
   * @param rows of the projection's weight
   * @param columns of the projection's weight
   * @param scale of B A
   */
  public record Target(String module, long rows, long columns, int rank, double scale) {

    /** The weight's name in the model. */
    String weight() {
      return module + ".weight";
    }
  }

  private final String source;
  private final ObjectNode json;

  private LoraConfig(String source, ObjectNode json) {
    this.source = source;
    this.json = json;
    refuse();
  }

  /**
   * Reads an adapter's configuration.
   *
   * @param folder with {@code adapter_config.json}
   * @throws ModelException naming file and field
   */
  public static LoraConfig read(Path folder) {
    Path file = folder.resolve(FILE);
    if (!Files.isRegularFile(file)) {
      throw new ModelException(
          folder + ": holds no " + FILE,
          "give a folder as PEFT writes them: " + FILE + " and " + Lora.FILE);
    }
    try {
      if (JSON.readTree(file.toFile()) instanceof ObjectNode json) {
        return new LoraConfig(file.toString(), json);
      }
      throw new ModelException(file + ": is not a JSON object");
    } catch (IOException e) {
      throw new ModelException(file + ": cannot be read as JSON: " + e.getMessage(), e);
    }
  }

  /**
   * A new configuration.
   *
   * @param alpha scale times rank
   * @param targets some of q, k, v, o, gate, up, down, separated by commas
   * @throws IllegalArgumentException naming an unknown target
   */
  public static LoraConfig of(int rank, double alpha, String targets) {
    ObjectNode json = JSON.createObjectNode();
    json.putObject("alpha_pattern");
    json.putNull("auto_mapping");
    json.putNull("base_model_name_or_path");
    json.put("bias", "none");
    json.put("fan_in_fan_out", false);
    json.put("inference_mode", true);
    json.put("init_lora_weights", true);
    json.putNull("layers_pattern");
    json.putNull("layers_to_transform");
    if (alpha == Math.rint(alpha) && Math.abs(alpha) < 1e9) {
      json.put("lora_alpha", (long) alpha);
    } else {
      json.put("lora_alpha", alpha);
    }
    json.put("lora_dropout", 0.0);
    json.putNull("modules_to_save");
    json.put("peft_type", "LORA");
    json.put("r", rank);
    json.putObject("rank_pattern");
    json.putNull("revision");
    ArrayNode modules = json.putArray("target_modules");
    LoraTargets.of(targets).forEach(name -> modules.add(name + "_proj"));
    json.put("task_type", "CAUSAL_LM");
    json.put("use_dora", false);
    json.put("use_rslora", false);
    return new LoraConfig("lora", json);
  }

  private void refuse() {
    for (Map.Entry<String, JsonNode> field : json.properties()) {
      String key = field.getKey();
      JsonNode value = field.getValue();
      boolean set =
          !(value.isNull()
              || (value.isBoolean() && !value.booleanValue())
              || (value.isContainerNode() && value.isEmpty()));
      String remedy =
          switch (key) {
            case "use_dora" -> "DoRA scales the columns of the sum; train without it";
            case "modules_to_save" -> "train without further modules, or merge with PEFT first";
            case "bias" -> "train with bias: none";
            default -> "merge the adapter with PEFT, and give the merged model";
          };
      boolean wrong =
          switch (key) {
            case "bias" -> !value.asText().equals("none");
            case "peft_type" -> !value.asText().equals("LORA");
            case "task_type" -> set && !value.asText().equals("CAUSAL_LM");
            case "init_lora_weights" -> !HARMLESS_STARTS.contains(value.asText());
            case "fan_in_fan_out" -> set;
            default -> set && !NOTES.contains(key) && !READ.contains(key);
          };
      if (wrong) {
        throw new ModelException(
            source + ": " + key + " is " + value + ", which is not supported", remedy);
      }
    }
    if (!json.path("r").canConvertToInt() || json.path("r").intValue() < 1) {
      throw bad("r", "must be a whole number of at least 1");
    }
    if (!json.path("lora_alpha").isNumber()) {
      throw bad("lora_alpha", "must be a number");
    }
  }

  private ModelException bad(String key, String what) {
    return new ModelException(
        source + ": " + key + " " + what + ", not " + json.path(key),
        "give the file as PEFT wrote it");
  }

  /** The rank, unless a pattern gives another. */
  public int rank() {
    return json.path("r").intValue();
  }

  /** alpha, unless a pattern gives another. */
  public double alpha() {
    return json.path("lora_alpha").doubleValue();
  }

  /** The JSON to write with the weights. */
  String text(@Nullable Path base) {
    ObjectNode written = json.deepCopy();
    if (base != null) {
      written.put("base_model_name_or_path", base.toString());
    }
    written.put("inference_mode", true);
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(written) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e); // a tree of plain values
    }
  }

  /**
   * The projections of a model that the adapter is on, in the order of its layers.
   *
   * @throws ModelException when a target is no projection, or a pattern matches nothing
   */
  public List<Target> targets(ModelConfig model) {
    Map<String, long[]> linears = new LinkedHashMap<>();
    new ParameterLayout(model)
        .slices()
        .forEach(
            (name, slice) -> {
              if (name.endsWith("_proj.weight")) {
                linears.put(name.substring(0, name.length() - ".weight".length()), slice.shape());
              }
            });
    List<String> modules = linears.keySet().stream().filter(this::isTarget).toList();
    checkTargets(linears.keySet());
    if (modules.isEmpty()) {
      throw bad("target_modules", "matches no projection of the model");
    }
    Map<String, JsonNode> ranks = pattern("rank_pattern", modules);
    Map<String, JsonNode> alphas = pattern("alpha_pattern", modules);
    List<Target> targets = new ArrayList<>();
    for (String module : modules) {
      JsonNode rank = first(ranks, module, json.path("r"));
      JsonNode alpha = first(alphas, module, json.path("lora_alpha"));
      if (!rank.canConvertToInt() || rank.intValue() < 1) {
        throw bad("rank_pattern", "must hold whole numbers of at least 1");
      }
      if (!alpha.isNumber()) {
        throw bad("alpha_pattern", "must hold numbers");
      }
      int r = rank.intValue();
      double divisor = json.path("use_rslora").asBoolean() ? Math.sqrt(r) : r;
      long[] shape = linears.get(module);
      targets.add(new Target(module, shape[0], shape[1], r, alpha.doubleValue() / divisor));
    }
    return targets;
  }

  /** Refuses names that PEFT would adapt or silently ignore, but that are not supported here. */
  private void checkTargets(Set<String> linears) {
    if (!json.path("target_modules").isArray()) {
      return;
    }
    for (JsonNode target : json.path("target_modules")) {
      if (linears.stream().noneMatch(module -> names(module, target.asText()))) {
        throw new ModelException(
            source + ": target_modules holds " + target + ", which is no projection of the model",
            "adapters are on q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj; merge"
                + " one on the embedding or the head with PEFT");
      }
    }
  }

  /** Whether the module's name equals the target, or ends with a dot and the target. */
  private static boolean names(String module, String end) {
    return module.equals(end) || module.endsWith("." + end);
  }

  private boolean isTarget(String module) {
    JsonNode excluded = json.path("exclude_modules");
    if (excluded.isTextual() && matches(excluded.asText(), "exclude_modules", module)) {
      return false;
    }
    for (JsonNode name : excluded) {
      if (names(module, name.asText())) {
        return false;
      }
    }
    JsonNode targets = json.path("target_modules");
    if (targets.isTextual()) {
      return targets.asText().equalsIgnoreCase("all-linear")
          || matches(targets.asText(), "target_modules", module);
    }
    for (JsonNode target : targets) {
      if (module.equals(target.asText())) {
        return true;
      }
    }
    for (JsonNode target : targets) {
      if (names(module, target.asText())) {
        return isOfLayers(module);
      }
    }
    return false;
  }

  private boolean isOfLayers(String module) {
    JsonNode layers = json.path("layers_to_transform");
    if (layers.isNull() || layers.isMissingNode() || (layers.isArray() && layers.isEmpty())) {
      return true;
    }
    List<String> patterns = new ArrayList<>();
    JsonNode given = json.path("layers_pattern");
    if (given.isTextual()) {
      patterns.add(given.asText());
    }
    given.forEach(pattern -> patterns.add(pattern.asText()));
    if (patterns.isEmpty()) {
      patterns.add("[^.]*");
    }
    for (String pattern : patterns) {
      PyPattern.Match match =
          compile(".*\\." + pattern + "\\.(\\d+)\\.", "layers_pattern")
              .match(CodePoints.of(module));
      if (match != null) {
        long layer = Long.parseLong(String.valueOf(match.group(1)));
        if (layers.isNumber()) {
          return layers.longValue() == layer;
        }
        for (JsonNode wanted : layers) {
          if (wanted.longValue() == layer) {
            return true;
          }
        }
        return false;
      }
    }
    return false;
  }

  /** The patterns of a map, each of which must match a module. */
  private Map<String, JsonNode> pattern(String key, List<String> modules) {
    Map<String, JsonNode> patterns = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : json.path(key).properties()) {
      if (modules.stream().noneMatch(module -> ends(entry.getKey(), key, module))) {
        throw new ModelException(
            source + ": " + key + "." + entry.getKey() + " matches no module of the adapter",
            "write it as the end of a module's name, such as q_proj or layers.0.self_attn.q_proj");
      }
      patterns.put(entry.getKey(), entry.getValue());
    }
    return patterns;
  }

  private JsonNode first(Map<String, JsonNode> patterns, String module, JsonNode otherwise) {
    for (Map.Entry<String, JsonNode> entry : patterns.entrySet()) {
      if (ends(entry.getKey(), "pattern", module)) {
        return entry.getValue();
      }
    }
    return otherwise;
  }

  private boolean ends(String pattern, String key, String module) {
    return compile("(.*\\.)?(" + pattern + ")$", key).match(CodePoints.of(module)) != null;
  }

  private boolean matches(String pattern, String key, String module) {
    return compile(pattern, key).fullMatch(CodePoints.of(module)) != null;
  }

  private PyPattern compile(String pattern, String key) {
    try {
      return PyPattern.compile(pattern);
    } catch (PyPatternException e) {
      throw new ModelException(
          source + ": " + key + ": not a regular expression: " + e.getMessage(), e);
    }
  }
}
