package org.hirengine.engine.gguf;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The names of a model's tensors in GGUF and in Hugging Face's layout. */
public final class TensorNames {

  public static final String EMBEDDING = "token_embd.weight";
  public static final String HEAD = "output.weight";
  public static final String ROPE_FACTORS = "rope_freqs.weight";

  private static final Map<String, String> OUTER =
      Map.of(
          EMBEDDING,
          "model.embed_tokens.weight",
          "output_norm.weight",
          "model.norm.weight",
          HEAD,
          "lm_head.weight");

  private static final Map<String, String> INNER = new LinkedHashMap<>();

  static {
    INNER.put("attn_norm", "input_layernorm");
    INNER.put("attn_q", "self_attn.q_proj");
    INNER.put("attn_k", "self_attn.k_proj");
    INNER.put("attn_v", "self_attn.v_proj");
    INNER.put("attn_q_norm", "self_attn.q_norm");
    INNER.put("attn_k_norm", "self_attn.k_norm");
    INNER.put("attn_output", "self_attn.o_proj");
    INNER.put("ffn_norm", "post_attention_layernorm");
    INNER.put("ffn_gate", "mlp.gate_proj");
    INNER.put("ffn_up", "mlp.up_proj");
    INNER.put("ffn_down", "mlp.down_proj");
  }

  private static final Pattern GGUF_LAYER =
      Pattern.compile("blk\\.(\\d{1,6})\\.(\\w+)\\.(weight|bias)");
  private static final Pattern HF_LAYER =
      Pattern.compile("model\\.layers\\.(\\d{1,6})\\.([\\w.]+)\\.(weight|bias)");

  private TensorNames() {}

  /** Hugging Face's name for GGUF's, or null. */
  public static @Nullable String toHuggingFace(String name) {
    Matcher layer = GGUF_LAYER.matcher(name);
    if (!layer.matches()) {
      return OUTER.get(name);
    }
    String part = INNER.get(layer.group(2));
    return part == null
        ? null
        : "model.layers." + layer.group(1) + "." + part + "." + layer.group(3);
  }

  /** GGUF's name for Hugging Face's, or null. */
  public static @Nullable String toGguf(String name) {
    Matcher layer = HF_LAYER.matcher(name);
    Map<String, String> table = layer.matches() ? INNER : OUTER;
    String part = layer.matches() ? layer.group(2) : name;
    for (Map.Entry<String, String> entry : table.entrySet()) {
      if (entry.getValue().equals(part)) {
        return layer.matches()
            ? "blk." + layer.group(1) + "." + entry.getKey() + "." + layer.group(3)
            : entry.getKey();
      }
    }
    return null;
  }

  /** Whether a tensor's rows are queries or keys, which llama files hold in another order. */
  public static boolean isQueryOrKey(String huggingFaceName) {
    return huggingFaceName.contains(".q_proj.") || huggingFaceName.contains(".k_proj.");
  }
}
