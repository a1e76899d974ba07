package org.hirengine.engine.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/**
 * A small GGUF model in which every key and tensor can be changed: one layer of width 32, 4 heads
 * and 2 key-value heads of 8, and the vocabulary of {@code pretokenizers.json}.
 */
public final class GgufFixture {

  /** Vocabulary, merges, and llama.cpp's ids of many texts under each pre-tokenizer. */
  public static final JsonNode TOKENS = resource("pretokenizers.json");

  public static final int ROWS = TOKENS.path("tokens").size() + 2;

  /** The third token from the end, {@code <|begin|>}. */
  public static final int BEGIN = TOKENS.path("tokens").size() - 3;

  /** {@code <|end|>}. */
  public static final int END = BEGIN + 1;

  /** {@code <think>}, found in text although it is not special. */
  public static final int THINK = BEGIN + 2;

  private final String family;
  private final Map<String, Object> keys = new LinkedHashMap<>();
  private final Map<String, List<Long>> tensors = new LinkedHashMap<>();
  private final Map<String, float[]> values = new LinkedHashMap<>();
  private GgmlType matrices = GgmlType.F32;

  /**
   * A model without faults.
   *
   * @param family llama, qwen2 or qwen3
   */
  public GgufFixture(String family) {
    this.family = family;
    put("general.architecture", family);
    put(family + ".context_length", 256L);
    put(family + ".embedding_length", 32L);
    put(family + ".block_count", 1L);
    put(family + ".feed_forward_length", 64L);
    put(family + ".attention.head_count", 4L);
    put(family + ".attention.head_count_kv", 2L);
    put(family + ".attention.layer_norm_rms_epsilon", 1e-5);
    put(family + ".rope.freq_base", 10000.0);
    put("tokenizer.ggml.model", "gpt2");
    put("tokenizer.ggml.pre", "smollm");
    put("tokenizer.ggml.tokens", texts("tokens"));
    List<Integer> types = new ArrayList<>();
    TOKENS.path("types").forEach(type -> types.add(type.intValue()));
    put("tokenizer.ggml.token_type", types);
    put("tokenizer.ggml.merges", texts("merges"));
    put("tokenizer.ggml.bos_token_id", (long) BEGIN);
    put("tokenizer.ggml.eos_token_id", (long) END);
    put("tokenizer.ggml.add_bos_token", false);
    tensor("token_embd.weight", ROWS, 32);
    tensor("output_norm.weight", 32);
    tensor("blk.0.attn_norm.weight", 32);
    tensor("blk.0.attn_q.weight", 32, 32);
    tensor("blk.0.attn_k.weight", 16, 32);
    tensor("blk.0.attn_v.weight", 16, 32);
    tensor("blk.0.attn_output.weight", 32, 32);
    tensor("blk.0.ffn_norm.weight", 32);
    tensor("blk.0.ffn_gate.weight", 64, 32);
    tensor("blk.0.ffn_up.weight", 64, 32);
    tensor("blk.0.ffn_down.weight", 32, 64);
    if (family.equals("qwen2")) {
      tensor("blk.0.attn_q.bias", 32);
      tensor("blk.0.attn_k.bias", 16);
      tensor("blk.0.attn_v.bias", 16);
    }
    if (family.equals("qwen3")) {
      tensor("blk.0.attn_q_norm.weight", 8);
      tensor("blk.0.attn_k_norm.weight", 8);
    }
  }

  /** A JSON file beside this class. */
  public static JsonNode resource(String name) {
    try (InputStream in = Objects.requireNonNull(GgufFixture.class.getResourceAsStream(name))) {
      return new ObjectMapper().readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A SentencePiece model like TinyLlama's, with scores in place of merges. */
  public static GgufFixture sentencePiece() {
    JsonNode model = resource("sentencepiece.json");
    List<String> tokens = new ArrayList<>();
    model.path("tokens").forEach(token -> tokens.add(token.asText()));
    List<Integer> types = new ArrayList<>();
    model.path("types").forEach(type -> types.add(type.intValue()));
    List<Float> scores = new ArrayList<>();
    model.path("scores").forEach(score -> scores.add(score.floatValue()));
    return new GgufFixture("llama")
        .put("tokenizer.ggml.model", "llama")
        .put("tokenizer.ggml.pre", "default")
        .put("tokenizer.ggml.tokens", tokens)
        .put("tokenizer.ggml.token_type", types)
        .put("tokenizer.ggml.scores", scores)
        .put("tokenizer.ggml.bos_token_id", 1L)
        .put("tokenizer.ggml.eos_token_id", 2L)
        .put("tokenizer.ggml.unknown_token_id", 0L)
        .remove("tokenizer.ggml.merges")
        .remove("tokenizer.ggml.add_bos_token");
  }

  /** A list of texts of {@link #TOKENS}. */
  public static List<String> texts(String field) {
    List<String> texts = new ArrayList<>();
    TOKENS.path(field).forEach(text -> texts.add(text.asText()));
    return texts;
  }

  /** Sets a key: Long, Double, Boolean, String, or a list of String, Integer or Float. */
  public GgufFixture put(String key, Object value) {
    keys.put(key, value);
    return this;
  }

  /** Sets a key with the architecture's prefix. */
  public GgufFixture own(String key, Object value) {
    return put(family + "." + key, value);
  }

  public GgufFixture remove(String key) {
    keys.remove(key);
    return this;
  }

  /** Adds a tensor of random values, rows first. */
  public GgufFixture tensor(String name, long... shape) {
    List<Long> sizes = new ArrayList<>();
    int count = 1;
    for (long size : shape) {
      sizes.add(size);
      count = (int) (count * size);
    }
    tensors.put(name, sizes);
    Random random = new Random(name.hashCode());
    float[] drawn = new float[count];
    for (int i = 0; i < count; i++) {
      drawn[i] = (float) random.nextGaussian() / 4 + (shape.length == 1 ? 1 : 0);
    }
    values.put(name, drawn);
    return this;
  }

  /** Adds a tensor of given values, rows first. */
  public GgufFixture tensor(String name, float[] given, long... shape) {
    tensor(name, shape);
    values.put(name, given);
    return this;
  }

  /** Writes matrices in this type, which must be one that {@link Blocks} encodes. */
  public GgufFixture matrices(GgmlType type) {
    matrices = type;
    return this;
  }

  public float[] values(String name) {
    return Objects.requireNonNull(values.get(name));
  }

  @SuppressWarnings("unchecked")
  public Path write(Path path) throws IOException {
    GgufWriter writer = new GgufWriter();
    keys.forEach(
        (key, value) -> {
          if (value instanceof Long number) {
            writer.put(key, number.longValue());
          } else if (value instanceof Double number) {
            writer.put(key, number.doubleValue());
          } else if (value instanceof Boolean flag) {
            writer.put(key, flag.booleanValue());
          } else if (value instanceof String text) {
            writer.put(key, text);
          } else if (((List<?>) value).get(0) instanceof String) {
            writer.putTexts(key, (List<String>) value);
          } else if (((List<?>) value).get(0) instanceof Float) {
            writer.putFloats(key, (List<Float>) value);
          } else {
            writer.putInts(key, (List<Integer>) value);
          }
        });
    tensors.forEach(
        (name, shape) -> {
          float[] all = values(name);
          int width = shape.size() == 1 ? 1 : shape.get(1).intValue();
          writer.tensor(
              name,
              shape.size() == 1 ? GgmlType.F32 : matrices,
              shape,
              1,
              (first, rows) -> {
                int from = (int) first * width;
                return Arrays.copyOfRange(all, from, from + rows * width);
              });
        });
    writer.write(path);
    return path;
  }
}
