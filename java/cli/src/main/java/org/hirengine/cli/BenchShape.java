package org.hirengine.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.stream.Collectors;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.replay.JsonLines;

/** The model shapes of {@code hir bench}: Qwen3 decoders with a tied head, weights at random. */
record BenchShape(
    String name,
    int hidden,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int intermediate,
    int vocabulary) {

  static final List<BenchShape> ALL =
      List.of(
          new BenchShape("demo-2m", 192, 4, 6, 2, 32, 512, 1024),
          new BenchShape("tiny-12m", 384, 6, 6, 2, 64, 1024, 8192),
          new BenchShape("smol-135m", 576, 30, 9, 3, 64, 1536, 49152),
          new BenchShape("half-0.25b", 896, 12, 14, 2, 64, 2432, 32000),
          new BenchShape("qwen3-0.6b", 1024, 28, 16, 8, 128, 3072, 151936));

  static String names() {
    return ALL.stream().map(BenchShape::name).collect(Collectors.joining(", "));
  }

  static BenchShape of(String name) {
    return ALL.stream()
        .filter(shape -> shape.name.equals(name))
        .findFirst()
        .orElseThrow(() -> new Failure("unknown shape " + name, "known shapes: " + names()));
  }

  ModelConfig config() {
    ObjectNode json = JsonLines.MAPPER.createObjectNode();
    json.put("model_type", "qwen3")
        .put("hidden_size", hidden)
        .put("num_hidden_layers", layers)
        .put("num_attention_heads", heads)
        .put("num_key_value_heads", kvHeads)
        .put("head_dim", headDim)
        .put("intermediate_size", intermediate)
        .put("vocab_size", vocabulary)
        .put("tie_word_embeddings", true)
        .put("max_position_embeddings", 8192)
        .put("rms_norm_eps", 1e-6)
        .put("rope_theta", 10000.0)
        .put("eos_token_id", 1);
    return ModelConfig.parse("shape " + name, json);
  }
}
