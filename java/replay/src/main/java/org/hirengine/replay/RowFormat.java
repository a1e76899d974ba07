package org.hirengine.replay;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.function.UnaryOperator;
import org.hirengine.verify.FieldException;

/**
 * The published layouts of instruction data. A row's layout is recognised by its fields, never by
 * its file's name, and each is turned into the engine's own ({@link InstructionJson}).
 */
@SuppressWarnings("ImmutableEnumChecker") // the functions are references to methods without state
enum RowFormat {
  ENGINE("engine", UnaryOperator.identity()),
  /** {@code key, prompt, instruction_id_list, kwargs}: input files of IFEval and IFBench. */
  BENCHMARK("ifeval/ifbench", UnaryOperator.identity()),
  /** {@code id, conversations, constraints, constraint_pattern, difficulty}. */
  MULDIMIF("muldimif", UnaryOperator.identity()),
  /** {@code id, source, prompt, criteria, ground_truth} as an object. */
  HIR("hir-16k", HirRow::normalize),
  /** {@code messages, ground_truth} as text or a list, {@code dataset}, a string or a list. */
  OPEN_INSTRUCT("open-instruct", OpenInstructRow::normalize),
  /** {@code prompt} as a chat, {@code data_source, reward_model.ground_truth, extra_info}. */
  VERL("verl", VerlRow::normalize);

  private final String label;
  private final UnaryOperator<ObjectNode> normalize;

  RowFormat(String label, UnaryOperator<ObjectNode> normalize) {
    this.label = label;
    this.normalize = normalize;
  }

  /** The layout of a row; the engine's own unless the fields indicate another. */
  static RowFormat of(ObjectNode row) {
    if (row.has("bench")) {
      return ENGINE;
    }
    if (row.path("reward_model").hasNonNull("ground_truth")) {
      return VERL;
    }
    if (OpenInstructRow.matches(row)) {
      return OPEN_INSTRUCT;
    }
    if (HirRow.matches(row)) {
      return HIR;
    }
    if (row.has("conversations") && row.has("constraints")) {
      return MULDIMIF;
    }
    return row.path("prompt").isTextual() && row.has("instruction_id_list") && !row.has("question")
        ? BENCHMARK
        : ENGINE;
  }

  /** The name for people. */
  String label() {
    return label;
  }

  /**
   * The row in the engine's own layout.
   *
   * @throws FieldException if a field is missing or wrong
   */
  ObjectNode normalize(ObjectNode row) {
    return normalize.apply(row);
  }
}
