package org.hirengine.verify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The constraints of a JSON line: {@code instruction_id_list} with one object of {@code kwargs} for
 * each id, or for MulDimIF {@code constraints}, a list of [category, subcategory, sentence].
 */
public final class ConstraintJson {

  /** The benchmark whose constraints are sentences, not ids. */
  public static final String MULDIMIF = "muldimif";

  /** The benchmark whose ids are the function names of RLVR-IFeval's rows. */
  public static final String RLVR = "rlvr-ifeval";

  private static final ObjectMapper JSON = new ObjectMapper();

  private ConstraintJson() {}

  /**
   * Reads a line's constraints; none if the line has neither field.
   *
   * <p>A MulDimIF constraint has the id {@code category_subcategory} and the kwargs {@code
   * category}, {@code subcategory} and {@code constraint} (the sentence).
   *
   * @param bench the benchmark whose rules apply, or null if the line names none
   * @throws FieldException naming the field at fault
   */
  public static List<ConstraintSpec> read(ObjectNode line, @Nullable String bench) {
    if (!line.has("instruction_id_list")) {
      requireNoText("constraints", line.path("constraints"), "a list of lists");
    }
    boolean triples = line.path("constraints").isArray() && !line.has("instruction_id_list");
    if (triples && (bench == null || bench.equals(MULDIMIF))) {
      return triples(line.get("constraints"));
    }
    List<String> ids = ids(line.path("instruction_id_list"));
    if (ids.isEmpty()) {
      return List.of();
    }
    if (bench == null) {
      throw new FieldException(
          "bench",
          "is missing",
          "say whose rules apply: ifeval, ifbench, ifbench-r2, iftrain, rlvr-ifeval or muldimif");
    }
    JsonNode kwargs = line.path("kwargs");
    requireNoText("kwargs", kwargs, "a list of objects");
    if (!kwargs.isArray() || kwargs.size() != ids.size()) {
      throw new FieldException(
          "kwargs",
          kwargs.isArray()
              ? "has " + kwargs.size() + " entries for " + ids.size() + " ids"
              : "is " + describe(kwargs),
          "write a list with one object per id, {} where an id takes none");
    }
    List<ConstraintSpec> specs = new ArrayList<>(ids.size());
    for (int i = 0; i < ids.size(); i++) {
      JsonNode own = kwargs.get(i);
      requireNoText("kwargs[" + i + "]", own, "an object");
      if (!own.isObject() && !own.isNull()) {
        throw new FieldException("kwargs[" + i + "]", "is " + describe(own), "write an object");
      }
      Map<String, Object> values = new LinkedHashMap<>();
      own.properties()
          .forEach(e -> values.put(e.getKey(), JSON.convertValue(e.getValue(), Object.class)));
      specs.add(new ConstraintSpec(bench, ids.get(i), values));
    }
    return specs;
  }

  private static List<ConstraintSpec> triples(JsonNode constraints) {
    List<ConstraintSpec> specs = new ArrayList<>(constraints.size());
    for (int i = 0; i < constraints.size(); i++) {
      JsonNode triple = constraints.get(i);
      if (triple.size() != 3
          || !triple.path(0).isTextual()
          || !triple.path(1).isTextual()
          || !triple.path(2).isTextual()) {
        throw new FieldException(
            "constraints[" + i + "]",
            "is " + describe(triple),
            "write [category, subcategory, sentence], three strings");
      }
      String category = triple.get(0).asText();
      String subcategory = triple.get(1).asText();
      specs.add(
          new ConstraintSpec(
              MULDIMIF,
              category + "_" + subcategory,
              Map.of(
                  "category", category,
                  "subcategory", subcategory,
                  "constraint", triple.get(2).asText())));
    }
    return specs;
  }

  /**
   * Tables store JSON as text if rows differ in their fields; such text is neither list nor object.
   */
  private static void requireNoText(String field, JsonNode node, String wanted) {
    if (node.isTextual()) {
      throw new FieldException(
          field,
          "is " + describe(node) + ", a string",
          "write " + wanted + " itself, not its JSON as text");
    }
  }

  private static List<String> ids(JsonNode list) {
    requireNoText("instruction_id_list", list, "a list of strings");
    List<String> ids = new ArrayList<>(list.size());
    for (JsonNode id : list) {
      if (id.isTextual()) {
        ids.add(id.asText());
      }
    }
    if (!list.isMissingNode() && !list.isNull() && (!list.isArray() || ids.size() < list.size())) {
      throw new FieldException(
          "instruction_id_list", "is " + describe(list), "write a list of strings");
    }
    return ids;
  }

  private static String describe(JsonNode node) {
    if (node.isMissingNode()) {
      return "missing";
    }
    String text = node.toString();
    return text.length() > 60 ? text.substring(0, 60) + "..." : text;
  }
}
