package org.hirengine.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.JsonLines;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.Verifiers;
import org.hirengine.verify.score.InstructionScore;
import org.hirengine.verify.score.Tally;

/** The official tables of instruction-level benchmarks, one for each group of responses. */
final class ScoreReport implements Report {

  /** How the tables are printed. */
  enum Form {
    TEXT,
    MARKDOWN,
    JSON
  }

  private record Scores(InstructionScore strict, InstructionScore loose) {}

  private final String bench;
  private final Map<String, Scores> groups = new TreeMap<>();

  ScoreReport(String bench) {
    this.bench = bench;
  }

  @Override
  public void add(String group, Instruction instruction, Verifiers.Judged verdicts) {
    List<String> ids = instruction.constraints().stream().map(ConstraintSpec::id).toList();
    Scores scores =
        groups.computeIfAbsent(
            group, g -> new Scores(new InstructionScore(), new InstructionScore()));
    scores.strict.add(ids, verdicts.strict());
    scores.loose.add(ids, verdicts.loose());
  }

  @Override
  public void print(PrintWriter out, Form form, ObjectNode counts) {
    if (form == Form.JSON) {
      out.println(JsonLines.write(json().setAll(counts)));
    } else {
      groups.forEach((group, scores) -> table(out, group, scores, form == Form.MARKDOWN));
    }
    out.flush();
  }

  private void table(PrintWriter out, String group, Scores scores, boolean markdown) {
    InstructionScore strict = scores.strict;
    InstructionScore loose = scores.loose;
    out.printf(
        Locale.ROOT,
        "%s%s, %s: %d prompts, %d instructions%n",
        markdown ? "### " : "",
        bench,
        group,
        strict.prompts().total(),
        strict.instructions().total());
    if (strict.undecided() > 0) {
      out.printf(
          Locale.ROOT,
          "%d instructions have no verdict and count as not followed%n",
          strict.undecided());
    }
    if (markdown) {
      out.println();
      out.println("| | strict | loose |");
      out.println("|---|---|---|");
    } else {
      out.printf(Locale.ROOT, "%-52s %-16s %s%n", "", "strict", "loose");
    }
    row(out, markdown, "prompt-level", strict.prompts(), loose.prompts());
    row(out, markdown, "instruction-level", strict.instructions(), loose.instructions());
    tier(out, markdown, "tier 0", strict.tier0(), loose.tier0());
    tier(out, markdown, "tier 1", strict.tier1(), loose.tier1());
    out.println();
  }

  private static void tier(
      PrintWriter out,
      boolean markdown,
      String title,
      Map<String, Tally> strict,
      Map<String, Tally> loose) {
    out.println(markdown ? "| **" + title + "** | | |" : title);
    strict.forEach((id, tally) -> row(out, markdown, id, tally, loose.get(id)));
  }

  private static void row(
      PrintWriter out, boolean markdown, String name, Tally strict, Tally loose) {
    out.printf(
        Locale.ROOT,
        markdown ? "| %s | %.4f (%s) | %.4f (%s) |%n" : "%-52s %.4f %-9s %.4f %s%n",
        name,
        strict.rate(),
        fraction(strict),
        loose.rate(),
        fraction(loose));
  }

  private ObjectNode json() {
    ObjectNode report = JsonLines.MAPPER.createObjectNode();
    report.put("bench", bench);
    ObjectNode tables = report.putObject("groups");
    groups.forEach(
        (group, scores) -> {
          ObjectNode table = tables.putObject(group);
          table.put("prompts", scores.strict.prompts().total());
          table.put("instructions", scores.strict.instructions().total());
          table.put("undecided", scores.strict.undecided());
          mode(table, "strict", scores.strict);
          mode(table, "loose", scores.loose);
        });
    return report;
  }

  private static void mode(ObjectNode table, String mode, InstructionScore score) {
    table.put(mode + "_prompt", score.prompts().rate());
    table.put(mode + "_instruction", score.instructions().rate());
    ObjectNode tiers = table.putObject(mode + "_tiers");
    Map<String, Tally> sorted = new TreeMap<>(score.tier0());
    sorted.putAll(score.tier1());
    sorted.forEach((id, tally) -> tiers.put(id, fraction(tally)));
  }

  private static String fraction(Tally tally) {
    return tally.followed() + "/" + tally.total();
  }
}
