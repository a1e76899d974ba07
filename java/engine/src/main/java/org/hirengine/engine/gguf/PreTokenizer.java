package org.hirengine.engine.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a byte-level BPE tokenizer splits text into words before it merges within them. A GGUF file
 * gives a name ({@code tokenizer.ggml.pre}); a {@code tokenizer.json} gives a normalizer and a
 * pre-tokenizer. The rules are those of llama.cpp's {@code llama-vocab.cpp}, in the form of the
 * models' {@code tokenizer.json}.
 */
@SuppressWarnings("ImmutableEnumChecker") // the lists are List.of
public enum PreTokenizer {
  /**
   * Contractions in any case; a word may begin with one other character; digits in groups of up to
   * three.
   */
  LLAMA3(
      List.of("llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "midm-2.0", "lfm2"),
      false,
      true,
      true,
      List.of(Regex.modern("\\p{N}{1,3}"))),
  /** Like Llama 3's, but words that are tokens as a whole are merged too. */
  SMAUG(List.of("smaug-bpe", "dbrx"), false, false, false, List.of(Regex.modern("\\p{N}{1,3}"))),
  /** Like Llama 3's, with single digits. */
  QWEN2(List.of("qwen2"), true, false, false, List.of(Regex.modern("\\p{N}"))),
  /** Like Qwen's, without composing characters. */
  PLAIN_QWEN2(
      List.of("deepseek-r1-qwen", "stablelm2", "megrez", "kormo", "hunyuan", "solar-open"),
      false,
      false,
      false,
      List.of(Regex.modern("\\p{N}"))),
  /** Each digit alone, then GPT-2's rule. */
  DIGITS(
      List.of("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"),
      false,
      false,
      false,
      List.of("\\p{N}", Regex.GPT2)),
  GPT2(
      List.of("gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "gigachat", "mellum"),
      false,
      false,
      false,
      List.of(Regex.GPT2)),
  /** Runs of punctuation, GPT-2's rule, runs of digits, digits in threes. */
  DEFAULT(
      List.of("default"),
      false,
      false,
      false,
      List.of("[\\p{P}\\$\\+<=>\\^~\\|]+", Regex.GPT2, "\\p{N}+", "[0-9][0-9][0-9]"));

  private static final class Regex {
    static final String GPT2 =
        "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

    static String modern(String digits) {
      return "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
          + digits
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    }
  }

  /** Names in GGUF files; the first one is used for writing. */
  private final List<String> names;

  private final boolean composes;

  /** A word that is a token as a whole bypasses the merges. */
  final boolean ignoresMerges;

  /** Whether a text begins with the BOS token if the file does not say. */
  final boolean addsBos;

  private final List<String> patterns;

  PreTokenizer(
      List<String> names,
      boolean composes,
      boolean ignoresMerges,
      boolean addsBos,
      List<String> patterns) {
    this.names = names;
    this.composes = composes;
    this.ignoresMerges = ignoresMerges;
    this.addsBos = addsBos;
    this.patterns = patterns;
  }

  /** The rule for a name in a file, or null. */
  static @Nullable PreTokenizer of(String name) {
    return Arrays.stream(values())
        .filter(rule -> rule.names.contains(name))
        .findFirst()
        .orElse(null);
  }

  /** All names that are known. */
  public static List<String> known() {
    return Arrays.stream(values()).flatMap(rule -> rule.names.stream()).toList();
  }

  /**
   * The rule of a {@code tokenizer.json}, or null if it is none of these.
   *
   * @param tokenizer the file
   */
  public static @Nullable PreTokenizer of(JsonNode tokenizer) {
    List<String> patterns = new ArrayList<>();
    if (!collect(tokenizer.path("pre_tokenizer"), patterns)) {
      return null;
    }
    List<String> normalizers = new ArrayList<>();
    for (JsonNode step : steps(tokenizer.path("normalizer"), "normalizers")) {
      normalizers.add(step.path("type").asText());
    }
    boolean ignoresMerges = tokenizer.path("model").path("ignore_merges").asBoolean();
    for (PreTokenizer rule : values()) {
      if (rule.patterns.equals(patterns)
          && rule.ignoresMerges == ignoresMerges
          && normalizers.equals(rule.composes ? List.of("NFC") : List.of())) {
        return rule;
      }
    }
    return null;
  }

  /**
   * Adds the patterns by which a pre-tokenizer splits, in order; false if it does anything else.
   */
  private static boolean collect(JsonNode tokenizer, List<String> patterns) {
    for (JsonNode step : steps(tokenizer, "pretokenizers")) {
      switch (step.path("type").asText()) {
        case "Split" -> {
          boolean keeps = step.path("behavior").asText().equals("Isolated");
          boolean inverted = step.path("invert").asBoolean();
          if (!step.path("pattern").path("Regex").isTextual() || !keeps || inverted) {
            return false;
          }
          patterns.add(step.path("pattern").path("Regex").asText());
        }
        case "Digits" ->
            patterns.add(step.path("individual_digits").asBoolean() ? "\\p{N}" : "\\p{N}+");
        case "ByteLevel" -> {
          if (step.path("add_prefix_space").asBoolean(true)) {
            return false;
          }
          if (step.path("use_regex").asBoolean(true)) {
            patterns.add(Regex.GPT2);
          }
        }
        default -> {
          return false;
        }
      }
    }
    return true;
  }

  private static Iterable<JsonNode> steps(JsonNode node, String list) {
    if (node.isNull() || node.isMissingNode()) {
      return List.of();
    }
    return node.path("type").asText().equals("Sequence") ? node.path(list) : List.of(node);
  }

  /** The name to write. */
  public String label() {
    return names.get(0);
  }

  /**
   * {@code normalizer} of tokenizer.json: Qwen composes characters first, the others do nothing.
   */
  @Nullable ObjectNode normalizer() {
    return composes ? node("NFC") : null;
  }

  /** {@code pre_tokenizer} of tokenizer.json. */
  ObjectNode json() {
    ObjectNode sequence = node("Sequence");
    ArrayNode steps = sequence.putArray("pretokenizers");
    for (String pattern : patterns) {
      ObjectNode split = node("Split");
      split.putObject("pattern").put("Regex", pattern);
      steps.add(split.put("behavior", "Isolated").put("invert", false));
    }
    steps.add(byteLevel(false));
    return sequence;
  }

  /** The step that spells bytes as characters; also the decoder. */
  static ObjectNode byteLevel(boolean split) {
    return node("ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true)
        .put("use_regex", split);
  }

  private static ObjectNode node(String type) {
    return JsonNodeFactory.instance.objectNode().put("type", type);
  }
}
