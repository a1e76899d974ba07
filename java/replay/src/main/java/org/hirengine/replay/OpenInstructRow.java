package org.hirengine.replay;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.hirengine.text.PyLiteral;
import org.hirengine.verify.FieldException;

/**
 * Rows of open-instruct's instruction-following data: {@code messages}, and {@code ground_truth} as
 * the text of a list with one {@code {'instruction_id': [...], 'kwargs': [...]}}, in Python's
 * notation or JSON's. The older layout names one function instead ({@code func_name}), which has no
 * verifier here.
 */
final class OpenInstructRow {

  private static final String FIELD = "ground_truth";

  private OpenInstructRow() {}

  static boolean matches(ObjectNode row) {
    return row.path("messages").isArray()
        && row.path(FIELD).isTextual()
        && (row.has("constraint_type") || row.has("constraint"));
  }

  static ObjectNode normalize(ObjectNode row) {
    JsonNode truth = truth(row.get(FIELD).asText());
    ObjectNode out = row.deepCopy();
    out.remove(FIELD);
    if (truth.path("func_name").isTextual()) {
      ObjectNode kwargs = ((ObjectNode) truth).deepCopy();
      kwargs.remove("func_name");
      out.put("bench", "rlvr-ifeval");
      out.putArray("instruction_id_list").add(truth.get("func_name").asText());
      out.putArray("kwargs").add(kwargs);
      return out;
    }
    if (!truth.path("instruction_id").isArray()) {
      throw new FieldException(
          FIELD,
          "has no list 'instruction_id'",
          "write [{'instruction_id': [...], 'kwargs': [...]}]");
    }
    out.set("instruction_id_list", truth.get("instruction_id"));
    out.set("kwargs", truth.path("kwargs"));
    HirRow.nameBench(out, "iftrain");
    return out;
  }

  /** The one object in the text. */
  private static JsonNode truth(String text) {
    try {
      JsonNode truth = JsonLines.MAPPER.valueToTree(PyLiteral.parse(text));
      if (truth.isArray() && truth.size() == 1) {
        truth = truth.get(0);
      }
      // Some releases keep the object as a string inside the list.
      return truth.isTextual() ? JsonLines.MAPPER.readTree(truth.asText()) : truth;
    } catch (IllegalArgumentException e) {
      throw new FieldException(
          FIELD,
          String.valueOf(e.getMessage()),
          "write a list with one object, in Python's notation or as JSON");
    } catch (JsonProcessingException e) {
      throw new FieldException(
          FIELD, "holds a string that is not JSON", "write a list with one object");
    }
  }
}
