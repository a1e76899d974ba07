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
import org.hirengine.verify.score.CategoryScore;
import org.hirengine.verify.score.Tally;

/** MulDimIF's official tables, one set for each group of responses. */
final class CategoryReport implements Report {

  private final Map<String, CategoryScore> groups = new TreeMap<>();

  @Override
  public void add(String group, Instruction item, Verifiers.Judged verdicts) {
    List<String> ids = item.constraints().stream().map(ConstraintSpec::id).toList();
    groups
        .computeIfAbsent(group, g -> new CategoryScore())
        .add(ids, verdicts.strict(), field(item, "difficulty"), field(item, "constraint_pattern"));
  }

  private static String field(Instruction item, String name) {
    return item.extra().get(name) instanceof String text ? text : "";
  }

  @Override
  public void print(PrintWriter out, ScoreReport.Form form, ObjectNode counts) {
    if (form == ScoreReport.Form.JSON) {
      ObjectNode report = JsonLines.MAPPER.createObjectNode();
      report.put("bench", "muldimif");
      ObjectNode tables = report.putObject("groups");
      groups.forEach((group, score) -> tables.set(group, json(score)));
      out.println(JsonLines.write(report.setAll(counts)));
    } else {
      groups.forEach((group, score) -> table(out, group, score, form == ScoreReport.Form.MARKDOWN));
    }
    out.flush();
  }

  private static ObjectNode json(CategoryScore score) {
    ObjectNode group = JsonLines.MAPPER.createObjectNode();
    score
        .tables()
        .forEach(
            (title, tallies) -> {
              ObjectNode table = group.putObject(title);
              tallies.forEach((name, tally) -> table.put(name, share(tally)));
            });
    group.put("Overall", share(score.overall()));
    group.put("undecided", score.undecided());
    return group;
  }

  /** The official form: "531/808=0.6571782178217822". */
  private static String share(Tally tally) {
    return tally.followed() + "/" + tally.total() + "=" + tally.rate();
  }

  private static void table(PrintWriter out, String group, CategoryScore score, boolean markdown) {
    out.printf(
        Locale.ROOT,
        "%smuldimif, %s: %d items%n",
        markdown ? "### " : "",
        group,
        score.overall().total());
    if (score.undecided() > 0) {
      out.printf(
          Locale.ROOT, "%d constraints have no verdict and count as not met%n", score.undecided());
    }
    if (markdown) {
      out.println();
      out.println("| | all constraints met |");
      out.println("|---|---|");
    }
    row(out, markdown, "Overall", score.overall());
    score
        .tables()
        .forEach(
            (title, tallies) -> {
              if (!tallies.isEmpty()) {
                out.println(markdown ? "| **" + title + "** | |" : title);
                tallies.forEach((name, tally) -> row(out, markdown, name, tally));
              }
            });
    out.println();
  }

  private static void row(PrintWriter out, boolean markdown, String name, Tally tally) {
    out.printf(
        Locale.ROOT,
        markdown ? "| %s | %.4f (%d/%d) |%n" : "%-36s %.4f %d/%d%n",
        name,
        tally.rate(),
        tally.followed(),
        tally.total());
  }
}
