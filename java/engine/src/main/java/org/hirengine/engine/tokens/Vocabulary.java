package org.hirengine.engine.tokens;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.hirengine.replay.DataException;
import org.jspecify.annotations.Nullable;

/**
 * The table of tokens in a {@code tokenizer.json}: the model's own and the added ones. The native
 * tokenizer does not expose it, so it is read from the file, as a stream (real files hold about
 * 150,000 tokens and twice as many merges).
 *
 * @param ids token to id
 * @param special the added tokens that decoding may omit
 * @param size one more than the highest id
 */
record Vocabulary(Map<String, Integer> ids, Set<String> special, int size) {

  static Vocabulary parse(String json, String file) {
    Map<String, Integer> ids = new HashMap<>();
    Set<String> special = new HashSet<>();
    try (JsonParser parser = ModelFile.JSON.createParser(json)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw fault(file, null, "is not a JSON object");
      }
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String field = parser.currentName();
        JsonToken value = parser.nextToken();
        if (field.equals("added_tokens") && value == JsonToken.START_ARRAY) {
          for (JsonNode token : parser.<JsonNode>readValueAsTree()) {
            String content = token.path("content").asText();
            ids.put(content, id(token.path("id"), content, file));
            if (token.path("special").asBoolean()) {
              special.add(content);
            }
          }
        } else if (field.equals("model") && value == JsonToken.START_OBJECT) {
          model(parser, ids, file);
        } else {
          parser.skipChildren();
        }
      }
    } catch (JsonProcessingException e) {
      throw ModelFile.malformed(file, e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (ids.isEmpty()) {
      throw fault(file, "model.vocab", "holds no tokens");
    }
    int size = 1 + ids.values().stream().mapToInt(Integer::intValue).max().orElseThrow();
    return new Vocabulary(ids, special, size);
  }

  private static void model(JsonParser parser, Map<String, Integer> ids, String file)
      throws IOException {
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      boolean vocabulary = parser.currentName().equals("vocab");
      JsonToken value = parser.nextToken();
      if (vocabulary && value == JsonToken.START_OBJECT) {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String token = parser.currentName();
          parser.nextToken();
          // An added token may repeat one of the model's; both give it the same id.
          ids.putIfAbsent(token, id(parser.readValueAsTree(), token, file));
        }
      } else if (vocabulary && value == JsonToken.START_ARRAY) {
        int next = 0;
        for (JsonNode piece : parser.<JsonNode>readValueAsTree()) {
          ids.putIfAbsent(piece.path(0).asText(), next++);
        }
      } else {
        parser.skipChildren();
      }
    }
  }

  private static int id(JsonNode node, String token, String file) {
    if (!node.canConvertToInt() || !node.isIntegralNumber() || node.intValue() < 0) {
      throw fault(file, "model.vocab", "gives the token '" + token + "' the id " + node);
    }
    return node.intValue();
  }

  private static DataException fault(String file, @Nullable String field, String problem) {
    return new DataException(
        file, 0, field, problem, "copy tokenizer.json again from the model's source");
  }
}
