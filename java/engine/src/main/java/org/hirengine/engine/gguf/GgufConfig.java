package org.hirengine.engine.gguf;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.hirengine.replay.DataException;

/** Builds {@code config.json} and {@code generation_config.json} from a file's metadata. */
final class GgufConfig {

  private static final List<String> ARCHITECTURES = List.of("llama", "qwen2", "qwen3");

  /** Keys that, unless zero, change what a model computes in ways that are not implemented. */
  private static final List<String> FOREIGN =
      List.of(
          "expert_count",
          "attention.sliding_window",
          "attention.scale",
          "attention.clamp_kqv",
          "attention.max_alibi_bias",
          "attn_logit_softcapping",
          "final_logit_softcapping",
          "logit_scale",
          "residual_scale",
          "embedding_scale");

  private final Gguf gguf;
  private final String architecture;

  GgufConfig(Gguf gguf) {
    this.gguf = gguf;
    String found = gguf.text("general.architecture");
    if (found == null || !ARCHITECTURES.contains(found)) {
      throw new DataException(
          gguf.path().toString(),
          0,
          "general.architecture",
          found == null ? "is missing" : "is '" + found + "', which the engine does not run",
          "use a model of Llama (llama), Qwen2 or Qwen2.5 (qwen2), or dense Qwen3 (qwen3)");
    }
    architecture = found;
    for (String key : FOREIGN) {
      if (gguf.number(key(key), 0) != 0) {
        throw gguf.bad(key(key), "is set, which is not supported for " + architecture);
      }
    }
  }

  private String key(String name) {
    return architecture + "." + name;
  }

  private long size(String name) {
    String key = key(name);
    if (!gguf.has(key)) {
      throw gguf.bad(key, "is missing");
    }
    return size(key, gguf.whole(key, 0));
  }

  private long size(String key, long value) {
    if (value < 1 || value > Integer.MAX_VALUE) {
      throw gguf.bad(key, "is " + value + ", out of range");
    }
    return value;
  }

  long heads() {
    return size("attention.head_count");
  }

  long keyHeads() {
    String key = key("attention.head_count_kv");
    long heads = gguf.has(key) ? size(key, gguf.whole(key, 0)) : heads();
    if (heads() % heads != 0) {
      throw gguf.bad(
          key, "is " + heads + ", by which the " + heads() + " query heads cannot be divided");
    }
    return heads;
  }

  /** Width of a head, which keys, values and the rotary embedding must share. */
  long headSize() {
    String keyLength = key("attention.key_length");
    long hidden = size("embedding_length");
    if (!gguf.has(keyLength) && hidden % heads() != 0) {
      throw gguf.bad(
          keyLength, "is missing, and " + heads() + " heads do not divide the width " + hidden);
    }
    long size = size(keyLength, gguf.whole(keyLength, hidden / heads()));
    for (String other : List.of("attention.value_length", "rope.dimension_count")) {
      long found = gguf.whole(key(other), size);
      if (found != size) {
        throw gguf.bad(
            key(other), "is " + found + ", but " + keyLength + " is " + size + "; they must agree");
      }
    }
    return size;
  }

  /** Whether the rows of queries and keys are in the file's order. */
  boolean permuted() {
    return architecture.equals("llama");
  }

  boolean tied() {
    return !gguf.tensors().containsKey(TensorNames.HEAD);
  }

  ObjectNode config() {
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.putArray("architectures").add(className());
    config.put("model_type", architecture);
    config.put("vocab_size", vocabulary());
    config.put("hidden_size", size("embedding_length"));
    config.put("intermediate_size", size("feed_forward_length"));
    config.put("num_hidden_layers", size("block_count"));
    config.put("num_attention_heads", heads());
    config.put("num_key_value_heads", keyHeads());
    config.put("head_dim", headSize());
    config.put("hidden_act", "silu");
    config.put("max_position_embeddings", size("context_length"));
    config.put("rms_norm_eps", epsilon());
    config.put("rope_theta", theta());
    config.set("rope_scaling", scaling());
    config.put("tie_word_embeddings", tied());
    if (!architecture.equals("qwen2")) {
      config.put("attention_bias", gguf.tensors().containsKey("blk.0.attn_q.bias"));
    }
    config.put("torch_dtype", dtype());
    putIds(config);
    return config;
  }

  /** {@code generation_config.json}: only the ids, so that sampling does not change. */
  ObjectNode generation() {
    ObjectNode generation = JsonNodeFactory.instance.objectNode();
    putIds(generation);
    return generation;
  }

  private String className() {
    return switch (architecture) {
      case "qwen2" -> "Qwen2ForCausalLM";
      case "qwen3" -> "Qwen3ForCausalLM";
      default -> "LlamaForCausalLM";
    };
  }

  private long vocabulary() {
    GgufFile.Entry embedding = gguf.tensors().get(TensorNames.EMBEDDING);
    if (embedding == null) {
      throw gguf.bad(null, "holds no tensor '" + TensorNames.EMBEDDING + "'");
    }
    return size(TensorNames.EMBEDDING, embedding.shape().get(0));
  }

  private double epsilon() {
    String key = key("attention.layer_norm_rms_epsilon");
    double value = gguf.number(key, 0);
    if (!(value > 0)) {
      throw gguf.bad(key, gguf.has(key) ? "is " + value + ", not positive" : "is missing");
    }
    return value;
  }

  private double theta() {
    double theta = gguf.number(key("rope.freq_base"), 10000);
    if (!(theta > 0)) {
      throw gguf.bad(key("rope.freq_base"), "is " + theta + ", not positive");
    }
    return theta;
  }

  private ObjectNode scaling() {
    String type = gguf.text(key("rope.scaling.type"));
    if (type != null && !type.equals("none")) {
      throw gguf.bad(
          key("rope.scaling.type"), "is '" + type + "'; only Llama 3's scaling is supported");
    }
    double linear = gguf.number(key("rope.scale_linear"), 1);
    if (linear != 1) {
      throw gguf.bad(key("rope.scale_linear"), "is " + linear + ", which is not supported");
    }
    GgufFile.Entry tensor = gguf.tensors().get(TensorNames.ROPE_FACTORS);
    if (tensor == null) {
      return null;
    }
    long expected = headSize() / 2;
    if (tensor.elements() != expected) {
      throw gguf.bad(
          null,
          "tensor '"
              + TensorNames.ROPE_FACTORS
              + "' has "
              + tensor.elements()
              + " values, expected "
              + expected
              + ", one for each pair of a head");
    }
    float[] factors = new float[(int) expected];
    tensor.file().read(tensor, 0, factors.length, factors);
    long original = gguf.whole(key("rope.scaling.original_context_length"), 0);
    return RopeFactors.explain(gguf, factors, theta(), headSize(), original);
  }

  /** The type of the matrices; everything quantized decodes to float32. */
  private String dtype() {
    Set<GgmlType> types = EnumSet.noneOf(GgmlType.class);
    for (GgufFile.Entry tensor : gguf.tensors().values()) {
      if (tensor.shape().size() > 1) {
        types.add(tensor.type());
      }
    }
    if (types.equals(EnumSet.of(GgmlType.BF16))) {
      return "bfloat16";
    }
    return types.equals(EnumSet.of(GgmlType.F16)) ? "float16" : "float32";
  }

  /**
   * A response ends at the end of the text, of the turn, or of a message, whichever comes first.
   */
  private void putIds(ObjectNode target) {
    putId(target, "bos_token_id", "bos");
    Set<Long> ends = new TreeSet<>();
    for (String role : List.of("eos", "eot", "eom")) {
      long id = GgufTokenizer.id(gguf, role);
      if (id >= 0) {
        ends.add(id);
      }
    }
    if (ends.size() == 1) {
      target.put("eos_token_id", ends.iterator().next());
    } else if (!ends.isEmpty()) {
      ArrayNode ids = target.putArray("eos_token_id");
      ends.forEach(ids::add);
    }
    putId(target, "pad_token_id", "padding");
  }

  private void putId(ObjectNode target, String field, String role) {
    long id = GgufTokenizer.id(gguf, role);
    if (id >= 0) {
      target.put(field, id);
    }
  }
}
