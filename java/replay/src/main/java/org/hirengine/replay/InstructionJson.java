package org.hirengine.replay;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.hirengine.verify.ConstraintJson;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.FieldException;
import org.hirengine.verify.Verifiers;
import org.jspecify.annotations.Nullable;

/**
 * One instruction as a JSON object of the engine's own format, in both directions.
 *
 * <p>{@code {"id", "question", "criteria": [sentence...], "q_type": "type3", "bench": "ifeval",
 * "instruction_id_list": [...], "kwargs": [...]}}, for MulDimIF {@code "constraints": [[category,
 * subcategory, sentence]...]} in place of the last two; optional {@code system}, {@code messages}
 * (history) and {@code chat_template_kwargs}. A row without {@code bench} follows the benchmarks
 * that its ids belong to. In place of {@code question} there may be a whole {@code prompt}, or
 * {@code messages} alone that end with the user's turn. Unknown fields are kept in {@link
 * Instruction#extra()}.
 */
public final class InstructionJson {

  private static final Set<String> KNOWN =
      Set.of(
          "id",
          "question",
          "prompt",
          "criteria",
          "q_type",
          "bench",
          "instruction_id_list",
          "kwargs",
          "constraints",
          "system",
          "messages",
          "conversations",
          "chat_template_kwargs");

  private InstructionJson() {}

  /**
   * Reads one object.
   *
   * @param row the object
   * @param file the file as the user named it, for errors
   * @param line its line
   * @param defaultBench the benchmark of rows that name none, or null to demand one
   * @throws DataException naming file, line, field and remedy
   */
  public static Instruction read(
      ObjectNode row, String file, long line, @Nullable String defaultBench) {
    return new Row(row, file, line).instruction(defaultBench);
  }

  /** Writes one object that {@link #read} turns into an equal instruction. */
  public static ObjectNode write(Instruction instruction) {
    ObjectNode row = JsonLines.MAPPER.createObjectNode();
    row.put("id", instruction.id());
    if (instruction.criteria().isEmpty()) {
      row.put("prompt", instruction.question());
    } else {
      row.put("question", instruction.question());
      row.set("criteria", tree(instruction.criteria()));
    }
    row.put("q_type", instruction.qType().label());
    if (instruction.bench() != null) {
      row.put("bench", instruction.bench());
    }
    if (!instruction.constraints().isEmpty()) {
      writeConstraints(instruction, row);
    }
    if (instruction.system() != null) {
      row.put("system", instruction.system());
    }
    if (!instruction.history().isEmpty()) {
      row.set("messages", tree(instruction.history()));
    }
    if (!instruction.templateOptions().isEmpty()) {
      row.set("chat_template_kwargs", tree(instruction.templateOptions()));
    }
    instruction.extra().forEach((field, value) -> row.set(field, tree(value)));
    return row;
  }

  private static void writeConstraints(Instruction instruction, ObjectNode row) {
    if (ConstraintJson.MULDIMIF.equals(instruction.bench())) {
      ArrayNode constraints = row.putArray("constraints");
      for (ConstraintSpec spec : instruction.constraints()) {
        constraints
            .addArray()
            .add(tree(spec.kwargs().get("category")))
            .add(tree(spec.kwargs().get("subcategory")))
            .add(tree(spec.kwargs().get("constraint")));
      }
      return;
    }
    ArrayNode ids = row.putArray("instruction_id_list");
    ArrayNode kwargs = row.putArray("kwargs");
    for (ConstraintSpec spec : instruction.constraints()) {
      ids.add(spec.id());
      // Sorted by name, so that equal instructions give equal bytes.
      kwargs.add(tree(new TreeMap<>(spec.kwargs())));
    }
  }

  private static JsonNode tree(@Nullable Object value) {
    return JsonLines.MAPPER.valueToTree(value);
  }

  /** A row being read, with its place for errors. */
  private record Row(ObjectNode row, String file, long line) {

    Instruction instruction(@Nullable String defaultBench) {
      String system = text("system");
      boolean mulDimIf = row.has("conversations") && !row.has("messages");
      List<Message> messages = messages(mulDimIf ? "conversations" : "messages");
      String question = text("question");
      boolean whole = question == null;
      if (whole) {
        JsonNode prompt = row.path("prompt");
        if (prompt.isArray()) {
          messages = messages("prompt");
        } else {
          question = text("prompt");
        }
      }
      if (question == null) {
        question = lastUserTurn(messages);
        messages = messages.subList(0, messages.size() - 1);
      }
      if (system == null && !messages.isEmpty() && messages.get(0).role().equals("system")) {
        system = messages.get(0).content();
        messages = messages.subList(1, messages.size());
      }
      String bench = bench(defaultBench);
      List<String> criteria = strings("criteria");
      List<ConstraintSpec> constraints = constraints(bench);
      if (!constraints.isEmpty()
          && criteria.size() != constraints.size()
          && !(whole && criteria.isEmpty())) {
        throw fault(
            "criteria",
            "has " + criteria.size() + " sentences for " + constraints.size() + " constraints",
            "give each constraint its own sentence, in the same order");
      }
      return new Instruction(
          id(),
          question,
          criteria,
          qType(),
          bench,
          constraints,
          system,
          messages,
          templateOptions(),
          extra());
    }

    private String id() {
      for (String field : List.of("id", "key")) {
        JsonNode node = row.path(field);
        if (node.isTextual() || node.isNumber()) {
          return node.asText();
        }
        if (!node.isMissingNode() && !node.isNull()) {
          throw fault(field, "is " + describe(node), "write a string or a number");
        }
      }
      return Long.toString(line);
    }

    private QType qType() {
      String label = text("q_type");
      try {
        return label == null ? QType.TYPE1 : QType.of(label);
      } catch (IllegalArgumentException e) {
        throw fault("q_type", e.getMessage(), "leave the field out for type1");
      }
    }

    private String lastUserTurn(List<Message> messages) {
      if (messages.isEmpty()) {
        throw fault(
            "question",
            "is missing",
            "give the row a 'question' with 'criteria', or a whole 'prompt', or 'messages'");
      }
      Message last = messages.get(messages.size() - 1);
      if (!last.role().equals("user")) {
        throw fault(
            "messages",
            "end with a turn of '" + last.role() + "'",
            "end with the user's turn that is to be answered");
      }
      return last.content();
    }

    /**
     * The benchmark whose rules apply: the row's own, else the default, else the one that has all
     * of its ids; null if there is none, or if the ids are from several.
     */
    private @Nullable String bench(@Nullable String defaultBench) {
      String named = text("bench");
      if (named != null || defaultBench != null) {
        return named == null ? defaultBench : named;
      }
      JsonNode ids = row.path("instruction_id_list");
      if (!ids.isArray()) {
        return row.path("constraints").isArray() ? ConstraintJson.MULDIMIF : null;
      }
      List<String> names = new ArrayList<>(ids.size());
      ids.forEach(id -> names.add(id.asText()));
      return names.isEmpty() ? null : Benches.ofAll(names).orElse(null);
    }

    private List<ConstraintSpec> constraints(@Nullable String bench) {
      if (bench == null) {
        requireNoMistypedId();
      }
      try {
        List<ConstraintSpec> own = bench == null ? ofSeveral() : List.of();
        return own.isEmpty() ? ConstraintJson.read(row, bench) : own;
      } catch (FieldException e) {
        throw fault(e.field(), e.problem(), e.remedy());
      }
    }

    /** Without a benchmark, an id close to a known one is probably mistyped. */
    private void requireNoMistypedId() {
      int at = 0;
      for (JsonNode id : row.path("instruction_id_list")) {
        if (id.isTextual() && Benches.of(id.asText()).isEmpty()) {
          Optional<String> nearest = Verifiers.standard().nearestId(id.asText());
          if (nearest.isPresent()) {
            throw fault(
                "instruction_id_list[" + at + "]",
                "is the unknown id '" + id.asText() + "'",
                "did you mean '" + nearest.get() + "'? Else name the row's 'bench'");
          }
        }
        at++;
      }
    }

    /** Constraints whose ids are known, but not all in one benchmark; none if one is unknown. */
    private List<ConstraintSpec> ofSeveral() {
      List<ConstraintSpec> specs = new ArrayList<>();
      for (JsonNode id : row.path("instruction_id_list")) {
        if (!id.isTextual() || Benches.of(id.asText()).isEmpty()) {
          return List.of();
        }
      }
      for (ConstraintSpec spec : ConstraintJson.read(row, "")) {
        specs.add(
            new ConstraintSpec(Benches.of(spec.id()).orElseThrow(), spec.id(), spec.kwargs()));
      }
      return specs;
    }

    private List<Message> messages(String field) {
      JsonNode node = row.path(field);
      if (node.isMissingNode() || node.isNull()) {
        return List.of();
      }
      if (!node.isArray()) {
        throw fault(field, "is " + describe(node), "write a list of {\"role\", \"content\"}");
      }
      List<Message> messages = new ArrayList<>(node.size());
      for (int i = 0; i < node.size(); i++) {
        JsonNode turn = node.get(i);
        String place = field + "[" + i + "]";
        if (!turn.path("role").isTextual() || !turn.path("content").isTextual()) {
          throw fault(
              place, "lacks a role or a content", "write {\"role\", \"content\"}, both strings");
        }
        if (turn.size() != 2) {
          throw fault(
              place, "has fields besides role and content", "only plain text turns are supported");
        }
        messages.add(new Message(turn.get("role").asText(), turn.get("content").asText()));
      }
      return messages;
    }

    private Map<String, @Nullable Object> templateOptions() {
      JsonNode node = row.path("chat_template_kwargs");
      if (!node.isMissingNode() && !node.isNull() && !node.isObject()) {
        throw fault("chat_template_kwargs", "is " + describe(node), "write an object");
      }
      return map(node);
    }

    private Map<String, @Nullable Object> extra() {
      ObjectNode rest = row.deepCopy();
      rest.remove(KNOWN);
      return map(rest);
    }

    private static Map<String, @Nullable Object> map(JsonNode node) {
      Map<String, @Nullable Object> map = new LinkedHashMap<>();
      for (Map.Entry<String, JsonNode> field : node.properties()) {
        map.put(field.getKey(), JsonLines.MAPPER.convertValue(field.getValue(), Object.class));
      }
      return map;
    }

    private @Nullable String text(String field) {
      JsonNode node = row.path(field);
      if (node.isMissingNode() || node.isNull()) {
        return null;
      }
      if (!node.isTextual()) {
        throw fault(field, "is " + describe(node), "write a string");
      }
      return node.asText();
    }

    private List<String> strings(String field) {
      JsonNode node = row.path(field);
      if (node.isMissingNode() || node.isNull()) {
        return List.of();
      }
      List<String> strings = new ArrayList<>(node.size());
      if (node.isArray()) {
        node.forEach(item -> strings.add(item.isTextual() ? item.asText() : null));
      }
      if (!node.isArray() || strings.contains(null)) {
        throw fault(field, "is " + describe(node), "write a list of strings");
      }
      return strings;
    }

    private static String describe(JsonNode node) {
      if (node.isMissingNode()) {
        return "missing";
      }
      String text = node.toString();
      return text.length() > 60 ? text.substring(0, 60) + "..." : text;
    }

    private DataException fault(String field, String problem, String remedy) {
      return new DataException(file, line, field, problem, remedy);
    }
  }
}
