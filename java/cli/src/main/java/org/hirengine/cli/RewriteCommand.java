package org.hirengine.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import org.hirengine.replay.DataException;
import org.hirengine.replay.DropRewriter;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.InstructionJson;
import org.hirengine.replay.JsonLines;
import org.hirengine.replay.Rewrite;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code hir rewrite}: hindsight rewriting of instructions with judge lists, without a model. */
@Command(
    name = "rewrite",
    mixinStandardHelpOptions = true,
    description = {
      "Rewrites instructions so that they ask only for what a response achieved.",
      "",
      "Each line is an object with question, criteria (a list of sentences), q_type (type1 to"
          + " type6) and judge_list (true, false or null for each sentence); without one, the list"
          + " strict that hir verify writes is taken. It is written out again with prompt, the text"
          + " that asks for the satisfied sentences alone. Where that is impossible prompt is null"
          + " and skipped says why: nothing_satisfied, or undecided when a verdict is null. Other"
          + " fields are kept."
    },
    footer = {
      "",
      "Examples:",
      "  hir rewrite --in judged.jsonl --out rewritten.jsonl",
      "  hir verify --in responses.jsonl --out - | hir rewrite --in - --out rewritten.jsonl"
    })
final class RewriteCommand implements Callable<Integer> {

  @Mixin private LineFiles files;

  @Option(names = "--json", description = "Report the counts as JSON.")
  private boolean json;

  @Spec private CommandSpec spec;

  private final DropRewriter rewriter = new DropRewriter();
  private final Map<Rewrite.Reason, Integer> skipped = new EnumMap<>(Rewrite.Reason.class);
  private int rewritten;
  private int rows;

  @Override
  public Integer call() throws IOException {
    try (InputStream in = files.open();
        OutputFile out = files.create();
        Quarantine bad = files.quarantine()) {
      JsonLines lines = new JsonLines(in, files.inputName());
      for (JsonLines.Line line = lines.next(); line != null; line = lines.next()) {
        try {
          ObjectNode row = lines.parse(line);
          rewrite(row, line.number());
          out.line(JsonLines.write(row));
          rows++;
        } catch (DataException e) {
          bad.add(line, e);
        }
      }
      bad.commit(rows);
      out.commit();
      ObjectNode report = JsonLines.MAPPER.createObjectNode();
      report.put("rewritten", rewritten);
      skipped.forEach((reason, n) -> report.put(name(reason), n));
      files.report(spec, report, bad, json);
    }
    return 0;
  }

  private void rewrite(ObjectNode row, long line) {
    String field = row.has("judge_list") || !row.has("strict") ? "judge_list" : "strict";
    JudgeList judges = judges(row, field, line);
    ObjectNode asked = row.deepCopy();
    asked.remove(List.of("prompt", "judge_list"));
    Instruction x = InstructionJson.read(asked, files.inputName(), line, null);
    if (judges.size() != x.criteria().size()) {
      throw fault(
          field,
          line,
          "has " + judges.size() + " verdicts for " + x.criteria().size() + " criteria",
          "give one verdict per sentence");
    }
    row.remove("skipped");
    // x' of a response that satisfies everything is x itself
    Rewrite result =
        judges.ila() && !x.criteria().isEmpty()
            ? new Rewrite.Rewritten(x, 0, 0, 0)
            : rewriter.rewrite(x, Response.of(""), judges, new SplittableRandom(0));
    if (result instanceof Rewrite.Rewritten done) {
      row.put("prompt", done.instruction().promptText());
      rewritten++;
    } else if (result instanceof Rewrite.Skipped none) {
      row.putNull("prompt");
      row.put("skipped", name(none.reason()));
      skipped.merge(none.reason(), 1, Integer::sum);
    }
  }

  private JudgeList judges(ObjectNode row, String field, long line) {
    JsonNode list = row.path(field);
    List<Verdict> verdicts = new ArrayList<>();
    for (JsonNode v : list) {
      if (v.isNull()) {
        verdicts.add(Verdict.none("null in the data"));
      } else if (v.isBoolean() || (v.isInt() && (v.asInt() == 0 || v.asInt() == 1))) {
        verdicts.add(Verdict.of(v.asBoolean(), "from the data"));
      } else {
        throw fault(field, line, "holds " + v, "write true, false or null for each sentence");
      }
    }
    if (!list.isArray()) {
      throw fault(
          field,
          line,
          list.isMissingNode() ? "is missing" : "is not a list",
          "write a list with true, false or null for each sentence");
    }
    return new JudgeList(verdicts);
  }

  private DataException fault(String field, long line, String problem, String remedy) {
    return new DataException(files.inputName(), line, field, problem, remedy);
  }

  private static String name(Rewrite.Reason reason) {
    return reason.name().toLowerCase(Locale.ROOT);
  }
}
