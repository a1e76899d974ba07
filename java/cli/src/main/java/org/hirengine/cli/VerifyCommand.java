package org.hirengine.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.hirengine.replay.DataException;
import org.hirengine.replay.JsonLines;
import org.hirengine.verify.FieldException;
import org.hirengine.verify.JsonlVerifier;
import org.hirengine.verify.Verifiers;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code hir verify}: verdicts on given responses, without a model. */
@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    description = {
      "Checks responses against their constraints.",
      "",
      "Each line holds bench (ifeval, ifbench, ifbench-r2, iftrain or muldimif), response, and"
          + " instruction_id_list with kwargs, or for MulDimIF constraints. It is written out, in"
          + " order, with the lists strict and loose (MulDimIF: verdict), one verdict per"
          + " constraint; null where nobody can check it. Such lists in the input are replaced,"
          + " other fields are kept."
    },
    footer = {
      "",
      "Examples:",
      "  hir verify --in responses.jsonl --out verdicts.jsonl",
      "  hir generate --model DIR --in eval.jsonl --out - | hir verify --in - --out verdicts.jsonl",
      "  hir verify --in r.jsonl --out v.jsonl --text-data /usr/share/nltk_data --json"
    })
final class VerifyCommand implements Callable<Integer> {

  /** Lines verified at once, over all cores. */
  private static final int LINES_AT_ONCE = 1024;

  @Mixin private LineFiles files;

  @Mixin private VerifierOptions options;

  @Option(names = "--json", description = "Report the counts as JSON.")
  private boolean json;

  @Spec private CommandSpec spec;

  private int rows;
  private final Verdicts verdicts = new Verdicts();

  @Override
  public Integer call() throws IOException {
    Verifiers verifiers = options.verifiers();
    ObjectNode report = JsonLines.MAPPER.createObjectNode();
    try (InputStream in = files.open();
        OutputFile out = files.create();
        Quarantine bad = files.quarantine()) {
      verify(new JsonLines(in, files.inputName()), new JsonlVerifier(verifiers), out, bad);
      bad.commit(rows);
      out.commit();
      report(verifiers, report);
      files.report(spec, report, bad, json);
    }
    return 0;
  }

  private void report(Verifiers verifiers, ObjectNode report) {
    report.put("lines", rows);
    verdicts.report(report);
    verifiers.failures().forEach((type, count) -> report.put("failed " + type, count));
    List<String> builtIns = verifiers.tools().builtIns();
    if (!builtIns.isEmpty()) {
      report.put("built-ins instead of", String.join(" ", builtIns));
    }
  }

  /** What became of a line: the row and the text to write, or a fault. */
  private record Verified(
      JsonLines.Line line,
      @Nullable ObjectNode row,
      @Nullable String text,
      @Nullable DataException fault) {}

  private void verify(JsonLines lines, JsonlVerifier verifier, OutputFile out, Quarantine bad)
      throws IOException {
    List<JsonLines.Line> batch = new ArrayList<>();
    JsonLines.Line line;
    do {
      line = lines.next();
      if (line != null) {
        batch.add(line);
      }
      if (batch.size() == LINES_AT_ONCE || line == null) {
        // Reading and writing JSON costs about as much as the checks: all of it on all cores.
        for (Verified verified : options.sideBySide(batch, each -> verify(lines, verifier, each))) {
          if (verified.row == null || verified.text == null) {
            bad.add(verified.line, Objects.requireNonNull(verified.fault));
          } else {
            verdicts.count(verified.row);
            out.line(verified.text);
            rows++;
          }
        }
        batch.clear();
      }
    } while (line != null);
  }

  private Verified verify(JsonLines lines, JsonlVerifier verifier, JsonLines.Line line) {
    try {
      ObjectNode row = lines.parse(line);
      verifier.verify(row);
      return new Verified(line, row, JsonLines.write(row), null);
    } catch (DataException e) {
      return new Verified(line, null, null, e);
    } catch (FieldException e) {
      return new Verified(line, null, null, fault(line.number(), e));
    }
  }

  private DataException fault(long line, FieldException e) {
    return new DataException(files.inputName(), line, e.field(), e.problem(), e.remedy());
  }

  /** Counts of the strict verdicts written. */
  private static final class Verdicts {

    private int satisfied;
    private int violated;
    private int undecided;

    void count(ObjectNode row) {
      JsonNode list = row.has("strict") ? row.get("strict") : row.path("verdict");
      for (JsonNode verdict : (ArrayNode) list) {
        if (verdict.isNull()) {
          undecided++;
        } else if (verdict.asBoolean()) {
          satisfied++;
        } else {
          violated++;
        }
      }
    }

    void report(ObjectNode report) {
      report.put("satisfied", satisfied).put("not_satisfied", violated);
      if (undecided > 0) {
        report.put("without_verdict", undecided);
      }
    }
  }
}
