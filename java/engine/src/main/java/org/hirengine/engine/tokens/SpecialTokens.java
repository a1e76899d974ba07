package org.hirengine.engine.tokens;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hirengine.engine.gguf.ModelFiles;
import org.hirengine.replay.DataException;
import org.jspecify.annotations.Nullable;

/**
 * The tokens that a model folder gives a role: {@code bos_token}, {@code eos_token}, {@code
 * pad_token} and so on.
 *
 * <p>They come from {@code tokenizer_config.json}; if that file has no table {@code
 * added_tokens_decoder}, {@code special_tokens_map.json} overrides it, as in transformers.
 *
 * @param byName role (with its suffix {@code _token}) to the token's text; roles without a token
 *     are absent
 */
public record SpecialTokens(Map<String, String> byName) {

  private static final String CONFIG = "tokenizer_config.json";
  private static final String MAP = "special_tokens_map.json";

  private static final List<String> ROLES =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token");

  /** Copies the map. */
  public SpecialTokens {
    byName = Collections.unmodifiableMap(new LinkedHashMap<>(byName));
  }

  /** The token that begins a text, or null. */
  public @Nullable String bos() {
    return byName.get("bos_token");
  }

  /** The token that ends a text or a turn, or null. */
  public @Nullable String eos() {
    return byName.get("eos_token");
  }

  /** The token that fills up batches, or null. */
  public @Nullable String pad() {
    return byName.get("pad_token");
  }

  /** Reads the roles of a model folder or GGUF file; without the files there are none. */
  public static SpecialTokens load(Path model) {
    Map<String, String> tokens = new LinkedHashMap<>();
    JsonNode config = ModelFile.object(model, CONFIG);
    if (config != null) {
      read(config, ModelFiles.label(model, CONFIG), tokens);
    }
    if (config == null || !config.has("added_tokens_decoder")) {
      JsonNode map = ModelFile.object(model, MAP);
      if (map != null) {
        read(map, ModelFiles.label(model, MAP), tokens);
      }
    }
    return new SpecialTokens(tokens);
  }

  private static void read(JsonNode file, String path, Map<String, String> tokens) {
    for (String role : ROLES) {
      JsonNode token = file.path(role);
      if (token.isMissingNode()) {
        continue;
      }
      JsonNode content = token.isObject() ? token.path("content") : token;
      if (content.isTextual()) {
        tokens.put(role, content.asText());
      } else if (content.isNull()) {
        tokens.remove(role);
      } else {
        throw new DataException(
            path,
            0,
            role,
            "is " + token + ", not a token",
            "write the token's text, an object with its 'content', or null");
      }
    }
  }
}
