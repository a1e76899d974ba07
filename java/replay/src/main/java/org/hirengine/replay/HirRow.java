package org.hirengine.replay;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.hirengine.verify.ConstraintJson;
import org.hirengine.verify.FieldException;
import org.hirengine.verify.judge.ModelJudge;

/**
 * Rows of HIR-16K: {@code prompt} (or {@code question}) without its constraints, {@code criteria}
 * (their sentences) and {@code ground_truth}, which is one of
 *
 * <ul>
 *   <li>{@code {instruction_id_list, kwargs}}: type1 (IFEval) and type2 (IFBench, IFTrain);
 *   <li>{@code {constraints, constraint_pattern}}: type3 (MulDimIF);
 *   <li>{@code {checker, functions}}: type4, one checker for each sentence. One that begins with
 *       {@code [llm]} is left to the judge; one that begins with {@code [rule]} belongs to Python
 *       source in {@code functions}, which is never run: the constraint {@link #PYTHON} has no
 *       verifier, so it gets no verdict.
 * </ul>
 */
final class HirRow {

  /** The id of a constraint that only Python source could check. */
  static final String PYTHON = "judge:python";

  private static final String TRUTH = "ground_truth";
  private static final Set<String> SOURCES = Set.of("type1", "type2", "type3", "type4");

  private HirRow() {}

  static boolean matches(ObjectNode row) {
    JsonNode truth = row.path(TRUTH);
    return truth.has("instruction_id_list")
        || truth.has("constraints")
        || truth.has("checker")
        || (row.has("criteria") && SOURCES.contains(row.path("source").asText()));
  }

  static ObjectNode normalize(ObjectNode row) {
    JsonNode truth = row.path(TRUTH);
    if (!truth.isObject()) {
      throw new FieldException(
          TRUTH,
          truth.isMissingNode() ? "is missing" : "is no object",
          "write instruction_id_list and kwargs, or constraints, or checker");
    }
    ObjectNode out = row.deepCopy();
    out.remove(TRUTH);
    askWithoutConstraints(row, out);
    if (truth.has("instruction_id_list")) {
      out.set("instruction_id_list", truth.get("instruction_id_list"));
      out.set("kwargs", truth.path("kwargs"));
      nameBench(out, row.path("source").asText().contains("type2") ? "ifbench" : "ifeval");
    } else if (truth.has("constraints")) {
      out.put("bench", ConstraintJson.MULDIMIF);
      out.set("constraints", truth.get("constraints"));
      for (String field : List.of("constraint_pattern", "difficulty")) {
        if (truth.hasNonNull(field)) {
          out.set(field, truth.get(field));
        }
      }
    } else if (truth.has("checker")) {
      judged(truth.get("checker"), out);
    } else {
      throw new FieldException(
          TRUTH, "has none of instruction_id_list, constraints, checker", "write one of them");
    }
    return out;
  }

  /**
   * If the row has the whole prompt as well as the question, the prompt only shows which template
   * made it, and the chat made from it is dropped.
   */
  private static void askWithoutConstraints(ObjectNode row, ObjectNode out) {
    JsonNode question = row.path("question");
    JsonNode prompt = row.path("prompt");
    if (!question.isTextual() && prompt.isTextual()) {
      out.set("question", prompt);
      out.remove(List.of("prompt", "messages"));
      return;
    }
    if (!question.isTextual()) {
      return;
    }
    out.remove("prompt");
    if (lastContent(row).equals(prompt)) {
      out.remove("messages");
    }
    if (!row.hasNonNull("q_type") && prompt.isTextual() && row.path("criteria").isArray()) {
      List<String> criteria = new ArrayList<>();
      row.get("criteria").forEach(sentence -> criteria.add(sentence.asText()));
      for (QType type : QType.values()) {
        if (type.render(question.asText(), criteria).equals(prompt.asText())) {
          out.put("q_type", type.label());
          return;
        }
      }
    }
  }

  private static JsonNode lastContent(ObjectNode row) {
    JsonNode messages = row.path("messages");
    return messages.path(messages.size() - 1).path("content");
  }

  /**
   * Names the benchmark if the ids alone do not determine it: an unknown id is a constraint without
   * a verifier, not a bad row.
   *
   * @param fallback the one benchmark such rows belong to
   */
  static void nameBench(ObjectNode row, String fallback) {
    for (JsonNode id : row.path("instruction_id_list")) {
      if (id.isTextual() && Benches.of(id.asText()).isEmpty()) {
        row.put("bench", fallback);
        return;
      }
    }
  }

  private static void judged(JsonNode checkers, ObjectNode out) {
    JsonNode criteria = out.path("criteria");
    if (!checkers.isArray() || !criteria.isArray() || checkers.size() != criteria.size()) {
      throw new FieldException(
          TRUTH + ".checker",
          "has " + checkers.size() + " entries for " + criteria.size() + " sentences of 'criteria'",
          "give each sentence its own checker, '[llm] ...' or '[rule] ...'");
    }
    out.put("bench", ModelJudge.BENCH);
    ArrayNode ids = out.putArray("instruction_id_list");
    ArrayNode kwargs = out.putArray("kwargs");
    for (int i = 0; i < checkers.size(); i++) {
      String checker = checkers.get(i).asText();
      if (checker.startsWith("[llm]")) {
        ids.add(ModelJudge.CRITERION);
        ObjectNode own = kwargs.addObject();
        own.set("criterion", criteria.get(i));
        if (out.path("question").isTextual()) {
          own.set("question", out.get("question"));
        }
      } else if (checker.startsWith("[rule]")) {
        ids.add(PYTHON);
        kwargs.addObject();
      } else {
        throw new FieldException(
            TRUTH + ".checker[" + i + "]",
            "begins with neither [llm] nor [rule]",
            "say who checks the sentence");
      }
    }
  }
}
