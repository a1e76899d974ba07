package org.hirengine.replay;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.hirengine.verify.FieldException;

/**
 * Rows of verl's training tables: {@code prompt} as a chat, {@code data_source}, {@code
 * reward_model.ground_truth} as the text of a JSON object, and the instruction's parts in {@code
 * extra_info}. The content is HIR's ({@link HirRow}).
 */
final class VerlRow {

  private static final String TRUTH = "reward_model.ground_truth";

  private VerlRow() {}

  static ObjectNode normalize(ObjectNode row) {
    ObjectNode out = JsonLines.MAPPER.createObjectNode();
    JsonNode info = row.path("extra_info");
    for (String field : List.of("id", "index")) {
      if (!out.has("id") && info.hasNonNull(field)) {
        out.set("id", info.get(field));
      }
    }
    JsonNode source = row.path("data_source");
    if (source.isTextual()) {
      out.set("source", source);
    }
    out.set("ground_truth", truth(row.path("reward_model").get("ground_truth")));
    JsonNode prompt = row.path("prompt");
    if (!prompt.isArray() || prompt.isEmpty()) {
      throw new FieldException(
          "prompt", "is no list of turns", "write a list of {\"role\", \"content\"}");
    }
    JsonNode question = info.path("question");
    if (question.isTextual() && info.path("criteria").isArray()) {
      out.set("question", question);
      out.set("criteria", info.get("criteria"));
      out.set("prompt", prompt.get(prompt.size() - 1).path("content"));
      ArrayNode history = out.putArray("messages");
      for (int i = 0; i < prompt.size() - 1; i++) {
        history.add(prompt.get(i));
      }
      if (info.hasNonNull("q_type")) {
        out.set("q_type", info.get("q_type"));
      }
    } else {
      out.set("prompt", prompt);
    }
    return HirRow.normalize(out);
  }

  private static JsonNode truth(JsonNode truth) {
    if (!truth.isTextual()) {
      return truth;
    }
    try {
      return JsonLines.MAPPER.readTree(truth.asText());
    } catch (JsonProcessingException e) {
      throw new FieldException(
          TRUTH,
          "is not valid JSON at column "
              + e.getLocation().getColumnNr()
              + ": "
              + JsonFault.describe(e),
          "write a JSON object as text");
    }
  }
}
