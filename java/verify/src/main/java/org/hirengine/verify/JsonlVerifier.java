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
 * MulDimIF, which knows no modes, {@code verdict} with 1 or 0): true, false, or null if no verifier
 * can check the constraint. A line with such a null also gets the list {@code reasons}, which says
 * why; {@link #withReasons} writes the reason of every verdict there. Existing lists of these names
 * are replaced unread; all other fields are kept.
 */
public final class JsonlVerifier {

  /** The lists that verifying writes. */
  public static final List<String> FIELDS = List.of("strict", "loose", "verdict", "reasons");

  private final Verifiers verifiers;
  private final boolean allReasons;
  private final boolean stripThinking;

  public JsonlVerifier(Verifiers verifiers) {
    this(verifiers, false, false);
  }

  private JsonlVerifier(Verifiers verifiers, boolean allReasons, boolean stripThinking) {
    this.verifiers = verifiers;
    this.allReasons = allReasons;
    this.stripThinking = stripThinking;
  }

  /** Writes the reason of every verdict, not only of missing ones. */
  public JsonlVerifier withReasons() {
    return new JsonlVerifier(verifiers, true, stripThinking);
  }

  /** Verifies only the text after the model's thinking ({@link Thinking#strip}). */
  public JsonlVerifier strippingThinking() {
    return new JsonlVerifier(verifiers, allReasons, true);
  }

  /**
   * Verifies one line in place; safe for any number of threads, each with its own line.
   *
   * @throws FieldException if a field is missing or wrong; the line is then unchanged
   */
  public void verify(ObjectNode line) {
    if (!line.path("bench").isTextual()) {
      throw new FieldException(
          "bench",
          line.has("bench") ? "is not a string" : "is missing",
          "say whose rules apply: " + String.join(", ", verifiers.benches()));
    }
    String bench = line.get("bench").asText();
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
    put(line, bench, judge(bench, constraints, text(line, "response")));
  }

  /** The verdicts on a response, as {@link #verify} writes them; strict for both in MulDimIF. */
  public Verifiers.Judged judge(String bench, List<ConstraintSpec> constraints, String text) {
    Response response = Response.of(stripThinking ? Thinking.strip(text) : text);
    if (bench.equals(ConstraintJson.MULDIMIF)) {
      JudgeList judges = verifiers.judge(constraints, response);
      return new Verifiers.Judged(judges, judges);
    }
    return verifiers.judgeBoth(constraints, response);
  }

  /** Writes verdicts, and reasons if wanted, into a line. */
  public void put(ObjectNode line, String bench, Verifiers.Judged judged) {
    if (bench.equals(ConstraintJson.MULDIMIF)) {
      line.remove(List.of("strict", "loose"));
      ArrayNode verdicts = line.putArray("verdict");
      judged.strict().verdicts().forEach(verdict -> addNumber(verdicts, verdict));
    } else {
      line.remove("verdict");
      put(line, "strict", judged.strict());
      put(line, "loose", judged.loose());
    }
    putReasons(line, judged);
  }

  private void putReasons(ObjectNode line, Verifiers.Judged judged) {
    if (!allReasons && judged.strict().decided() && judged.loose().decided()) {
      line.remove("reasons");
      return;
    }
    ArrayNode reasons = line.putArray("reasons");
    for (int i = 0; i < judged.strict().size(); i++) {
      Verdict strict = judged.strict().verdicts().get(i);
      Verdict loose = judged.loose().verdicts().get(i);
      Verdict told = strict.decided() && !loose.decided() ? loose : strict;
      reasons.add(allReasons || !told.decided() ? told.reason() : null);
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
