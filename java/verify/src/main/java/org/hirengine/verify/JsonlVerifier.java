package org.hirengine.verify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * Verifies JSON lines that hold a response and its constraints: {@code bench}, {@code response} and
 * what {@link ConstraintJson} reads.
 *
 * <p>Each line gets the lists {@code strict} and {@code loose} with one verdict per constraint (for
 * MulDimIF, which knows no modes, {@code verdict} with 1 or 0): true, false, or null where nobody
 * can check the constraint. Lists of these names that the line came with are replaced unread; all
 * other fields stay as they are.
 */
public final class JsonlVerifier {

  private final Verifiers verifiers;

  public JsonlVerifier(Verifiers verifiers) {
    this.verifiers = verifiers;
  }

  /**
   * Verifies one line in place; safe for any number of threads with a line each.
   *
   * @throws FieldException where a field is missing or wrong; the line is then as it was
   */
  public void verify(ObjectNode line) {
    String bench = text(line, "bench");
    if (!verifiers.benches().contains(bench)) {
      throw new FieldException(
          "bench",
          "is '" + bench + "'",
          "known benchmarks are " + String.join(", ", verifiers.benches()));
    }
    List<ConstraintSpec> constraints = ConstraintJson.read(line, bench);
    if (constraints.isEmpty()) {
      boolean muldimif = bench.equals(ConstraintJson.MULDIMIF);
      throw new FieldException(
          muldimif ? "constraints" : "instruction_id_list",
          "is missing or empty",
          muldimif ? "give the line its constraints" : "give the line its ids and their kwargs");
    }
    Response response = Response.of(text(line, "response"));
    if (bench.equals(ConstraintJson.MULDIMIF)) {
      JudgeList judges = verifiers.judge(constraints, response);
      ArrayNode verdicts = line.putArray("verdict");
      judges.verdicts().forEach(v -> addNumber(verdicts, v));
    } else {
      Verifiers.Judged judged = verifiers.judgeBoth(constraints, response);
      put(line, "strict", judged.strict());
      put(line, "loose", judged.loose());
    }
  }

  private static void addNumber(ArrayNode verdicts, Verdict verdict) {
    if (verdict.decided()) {
      verdicts.add(verdict.satisfied() ? 1 : 0);
    } else {
      verdicts.addNull();
    }
  }

  private static void put(ObjectNode line, String field, JudgeList judges) {
    ArrayNode verdicts = line.putArray(field);
    for (Verdict verdict : judges.verdicts()) {
      if (verdict.decided()) {
        verdicts.add(verdict.satisfied());
      } else {
        verdicts.addNull();
      }
    }
  }

  private static String text(ObjectNode line, String field) {
    JsonNode node = line.path(field);
    if (!node.isTextual()) {
      throw new FieldException(
          field, node.isMissingNode() ? "is missing" : "is not a string", "write a string");
    }
    return node.asText();
  }
}
