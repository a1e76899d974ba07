package org.hirengine.replay;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import org.hirengine.text.PyLiteral;
import org.hirengine.verify.ConstraintJson;
import org.hirengine.verify.FieldException;

/**
 * Rows of open-instruct: {@code messages} (or {@code prompt}), {@code ground_truth} and {@code
 * dataset}, the name of the verifier; or lists of both, an entry for each verifier.
 *
 * <p>The constraints are the text of a list with one {@code {'instruction_id': [...], 'kwargs':
 * [...]}}, in Python's notation or JSON's, or the older {@code {"func_name": ..., its arguments}}
 * ({@link ConstraintJson#RLVR}). The ground truth of another verifier, such as a number, is not a
 * constraint: a row with nothing else has none. An answer of the assistant at the end is not part
 * of the prompt.
 */
final class OpenInstructRow {

  private static final String FIELD = "ground_truth";
  private static final String SOURCE = "dataset";
  private static final String ID = "instruction_id";
  private static final String FUNCTION = "func_name";

  private OpenInstructRow() {}

  static boolean matches(ObjectNode row) {
    JsonNode truth = row.path(FIELD);
    boolean conversation = row.path("messages").isArray() || row.has("prompt");
    boolean named = row.has("constraint_type") || row.has("constraint") || row.has(SOURCE);
    return conversation
        && !row.has("instruction_id_list")
        && (truth.isTextual() || truth.isArray())
        && (named || isOfInstructions(truth) || truth.isArray());
  }

  /** Whether a ground truth is one of instruction following, by its content. */
  private static boolean isOfInstructions(JsonNode truth) {
    String text = truth.isTextual() ? truth.asText() : truth.toString();
    return text.contains(ID) || text.contains(FUNCTION);
  }

  static ObjectNode normalize(ObjectNode row) {
    ObjectNode out = row.deepCopy();
    out.remove(FIELD);
    withoutAnswer(out, "messages");
    withoutAnswer(out, "prompt");
    if (row.path("messages").isArray() && row.path("prompt").isTextual()) {
      out.remove("prompt");
    }
    List<JsonNode> entries = entries(row);
    List<String> others = new ArrayList<>();
    JsonNode own = null;
    for (int i = 0; i < entries.size(); i++) {
      JsonNode entry = entries.get(i);
      if (!isOfInstructions(entry) && !isForInstructions(row, i, entries.size())) {
        others.add(FIELD + "[" + i + "]");
      } else if (own != null) {
        throw new FieldException(
            FIELD + "[" + i + "]", "is a second list of constraints", "keep one of them");
      } else {
        own = entry;
      }
    }
    if (own == null) {
      return out;
    }
    if (!others.isEmpty()) {
      throw new FieldException(
          others.get(0),
          "is for a verifier that is not here, beside constraints",
          "leave it and its entry of 'dataset' out");
    }
    constraints(truth(own), out);
    return out;
  }

  /** Whether the row says that an entry is for IFEval's verifier. */
  private static boolean isForInstructions(ObjectNode row, int entry, int entries) {
    JsonNode source = row.path(SOURCE);
    String name = source.isArray() ? source.path(entry).asText() : source.asText();
    return name.startsWith("ifeval")
        || (entries == 1 && (row.has("constraint_type") || row.has("constraint")));
  }

  /** The ground truths: one, or one for each verifier. */
  private static List<JsonNode> entries(ObjectNode row) {
    JsonNode truth = row.get(FIELD);
    if (truth.isTextual() || truth.path(0).isObject()) {
      return List.of(truth);
    }
    List<JsonNode> entries = new ArrayList<>();
    truth.forEach(entries::add);
    return entries;
  }

  private static void withoutAnswer(ObjectNode out, String field) {
    if (out.path(field) instanceof ArrayNode turns
        && turns.size() > 1
        && turns.path(turns.size() - 1).path("role").asText().equals("assistant")) {
      turns.remove(turns.size() - 1);
    }
  }

  private static void constraints(JsonNode truth, ObjectNode out) {
    if (truth.path(FUNCTION).isTextual()) {
      ObjectNode kwargs = ((ObjectNode) truth).deepCopy();
      kwargs.remove(FUNCTION);
      out.put("bench", ConstraintJson.RLVR);
      out.putArray("instruction_id_list").add(truth.get(FUNCTION).asText());
      out.putArray("kwargs").add(kwargs);
      return;
    }
    if (!truth.path(ID).isArray()) {
      throw new FieldException(
          FIELD,
          "has no list 'instruction_id'",
          "write [{'instruction_id': [...], 'kwargs': [...]}]");
    }
    out.set("instruction_id_list", truth.get(ID));
    out.set("kwargs", truth.path("kwargs"));
    HirRow.nameBench(out, "iftrain");
  }

  /** The one object of a ground truth, which is a list of one, or its text. */
  private static JsonNode truth(JsonNode entry) {
    try {
      JsonNode truth =
          entry.isTextual() ? JsonLines.MAPPER.valueToTree(PyLiteral.parse(entry.asText())) : entry;
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
          FIELD,
          "holds a string that is not JSON: " + JsonFault.describe(e),
          "write a list with one object");
    }
  }
}
