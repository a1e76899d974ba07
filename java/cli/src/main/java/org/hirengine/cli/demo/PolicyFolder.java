package org.hirengine.cli.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Everything in the demo policy's Hugging Face folder except the weights. */
final class PolicyFolder {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** Roles are single tokens, so a whole request costs three tokens beside its words. */
  private static final String CHAT_TEMPLATE =
      "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}"
          + Vocabulary.END_OF_TURN
          + "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";

  private PolicyFolder() {}

  /** Writes configuration, tokenizer and chat template. */
  static void write(Path folder) throws IOException {
    Files.createDirectories(folder);
    write(folder, "config.json", config());
    write(folder, "generation_config.json", generation());
    write(folder, "tokenizer.json", Vocabulary.tokenizerJson());
    write(folder, "tokenizer_config.json", tokenizer());
  }

  private static ObjectNode config() {
    ObjectNode config = MAPPER.createObjectNode();
    config.putArray("architectures").add("Qwen3ForCausalLM");
    return config
        .put("model_type", "qwen3")
        .put("vocab_size", Vocabulary.tokens().size())
        .put("hidden_size", 96)
        .put("intermediate_size", 256)
        .put("num_hidden_layers", 3)
        .put("num_attention_heads", 4)
        .put("num_key_value_heads", 2)
        .put("head_dim", 32)
        .put("hidden_act", "silu")
        .put("rms_norm_eps", 1e-6)
        .put("rope_theta", 10000.0)
        .put("max_position_embeddings", 512)
        .put("initializer_range", 0.08)
        .put("attention_bias", false)
        .put("attention_dropout", 0.0)
        .put("use_cache", true)
        .put("tie_word_embeddings", true)
        .put("bos_token_id", id(Vocabulary.END_OF_TEXT))
        .put("eos_token_id", id(Vocabulary.END_OF_TURN))
        .put("torch_dtype", "float32");
  }

  private static ObjectNode generation() {
    ObjectNode generation = MAPPER.createObjectNode();
    generation.put("bos_token_id", id(Vocabulary.END_OF_TEXT));
    generation
        .putArray("eos_token_id")
        .add(id(Vocabulary.END_OF_TURN))
        .add(id(Vocabulary.END_OF_TEXT));
    return generation.put("pad_token_id", id(Vocabulary.END_OF_TEXT)).put("do_sample", true);
  }

  private static ObjectNode tokenizer() {
    return MAPPER
        .createObjectNode()
        .put("tokenizer_class", "PreTrainedTokenizerFast")
        .put("bos_token", Vocabulary.END_OF_TEXT)
        .put("eos_token", Vocabulary.END_OF_TURN)
        .put("pad_token", Vocabulary.END_OF_TEXT)
        .put("unk_token", Vocabulary.UNKNOWN)
        .put("clean_up_tokenization_spaces", false)
        .put("model_max_length", 512)
        .put("chat_template", CHAT_TEMPLATE);
  }

  private static int id(String token) {
    List<String> tokens = Vocabulary.tokens();
    return tokens.indexOf(token);
  }

  private static void write(Path folder, String name, ObjectNode json) throws IOException {
    String text = MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(json);
    Files.writeString(folder.resolve(name), text + "\n");
  }
}
