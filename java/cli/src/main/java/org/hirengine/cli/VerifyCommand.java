package org.hirengine.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.hirengine.replay.ConstraintCheck;
import org.hirengine.replay.DataException;
import org.hirengine.replay.JsonLines;
import org.hirengine.verify.ConstraintJson;
import org.hirengine.verify.ConstraintSpec;
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
      "Each line holds bench (ifeval, ifbench, ifbench-r2, iftrain, rlvr-ifeval or muldimif),"
          + " response, and instruction_id_list with kwargs, or for MulDimIF constraints. It is"
          + " written out, in order, with the lists strict and loose (MulDimIF: verdict), one"
          + " verdict per constraint; null if no verifier can check it, with the reason in reasons"
          + " (--reasons: for every verdict). Such lists in the input are replaced, other fields"
          + " are kept.",
      "",
      "Rows are kept in OUT.part as they are checked; after a kill, --resume continues there.",
      "",
      "Constraints that can get no verdict are reported once for each kind, with a count; if there"
          + " are no others, the exit code is 1."
    },
    footer = {
      "",
      "Examples:",
      "  hir verify --in responses.jsonl --out verdicts.jsonl --reasons",
      "  hir generate --model DIR --in eval.jsonl --out - | hir verify --in - --out verdicts.jsonl",
      "  hir verify --in r.jsonl --out v.jsonl --text-data /usr/share/nltk_data --json"
    })
final class VerifyCommand implements Callable<Integer> {

  @Mixin private LineFiles files;

  @Mixin private ResumeOption resume;

  @Mixin private VerifierOptions options;

  @Option(names = "--json", description = "Report the counts as JSON.")
  private boolean json;

  @Spec private CommandSpec spec;

  private final Verdicts verdicts = new Verdicts();
  private ConstraintCheck check;

  @Override
  public Integer call() throws IOException {
    if (files.complete(resume, spec)) {
      return 0;
    }
    Verifiers verifiers = options.verifiers();
    check = new ConstraintCheck(verifiers);
    ObjectNode setup = JsonLines.MAPPER.createObjectNode().put("command", "verify");
    options.describe(setup);
    ObjectNode report = JsonLines.MAPPER.createObjectNode();
    InputFile.Meter meter = new InputFile.Meter();
    try (InputStream in = files.open(meter);
        RowFile out = files.create(resume, setup, spec);
        Quarantine bad = files.quarantine()) {
      try {
        JsonLines lines = new JsonLines(in, files.inputName());
        verify(lines, meter, options.jsonlVerifier(verifiers), out, bad);
        bad.commit(Math.toIntExact(out.rows()));
      } catch (DataException e) {
        if (!resume.given()) {
          out.discard(); // cheap to check again once the data is corrected
        }
        throw e;
      }
      out.commit();
      report(verifiers, report, out.rows());
      options.reportJudge(report, spec.commandLine().getErr());
      files.report(spec, report, bad, json);
    }
    options.requireJudge();
    PrintWriter err = spec.commandLine().getErr();
    if (verdicts.decided() == 0 && !check.warnings().isEmpty()) {
      throw new Failure(
          "no constraint can be checked: " + String.join("; ", check.warnings()),
          "correct the constraints; the lines and the reasons are in the output");
    }
    check.warnings().forEach(each -> err.println("warning: " + each));
    return 0;
  }

  /** Counts what can get no verdict, whatever the responses are. */
  private void examine(long line, ObjectNode row) {
    JsonNode list = row.has("strict") ? row.get("strict") : row.path("verdict");
    for (JsonNode verdict : list) {
      if (verdict.isNull()) {
        String id = row.path("id").asText(row.path("key").asText(String.valueOf(line)));
        List<ConstraintSpec> constraints = ConstraintJson.read(row, row.path("bench").asText());
        check.examine(files.inputName() + ":" + line, id, constraints);
        return;
      }
    }
  }

  private void report(Verifiers verifiers, ObjectNode report, long rows) {
    report.put("lines", rows);
    verdicts.report(report);
    verifiers.failures().forEach((type, count) -> report.put("failed " + type, count));
    verifiers.notUnderstood().forEach((type, count) -> report.put("not understood " + type, count));
    List<String> builtIns = verifiers.tools().builtIns();
    if (!builtIns.isEmpty()) {
      report.put("built-ins instead of", String.join(" ", builtIns));
    }
  }

  /**
   * What became of a line: the row and the text to write, or a fault.
   *
   * @param share of the input that is read, up to this line
   */
  private record Verified(
      JsonLines.Line line,
      double share,
      @Nullable ObjectNode row,
      @Nullable String text,
      @Nullable DataException fault) {}

  private void verify(
      JsonLines lines, InputFile.Meter meter, JsonlVerifier verifier, RowFile out, Quarantine bad)
      throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    try (RowFile.Kept kept = out.readKept();
        ProgressLine progress = ProgressLine.ofLong("verify", 0, ProgressLine.UNKNOWN, err);
        InOrder<Verified> work =
            new InOrder<>(options.threads(), new Writing(out, bad, kept, progress))) {
      for (JsonLines.Line line = lines.next(); line != null; line = lines.next()) {
        JsonLines.Line next = line;
        double share = meter.share();
        if (isKept(kept, lines, next)) {
          verdicts.count(Objects.requireNonNull(kept.peek()));
          kept.skip();
        } else {
          // Reading and writing JSON costs about as much as the checks: all of it on all cores.
          work.submit(() -> verify(lines, verifier, next, share));
        }
      }
      work.finish();
      kept.requireEnd();
    }
  }

  /** Whether the next kept row was made from this line. */
  private static boolean isKept(RowFile.Kept kept, JsonLines lines, JsonLines.Line line)
      throws IOException {
    try {
      return kept.peek() != null && kept.nextIsOf(lines.parse(line), JsonlVerifier.FIELDS);
    } catch (DataException e) {
      return false;
    }
  }

  /** Writes what is verified. */
  private final class Writing implements InOrder.Receiver<Verified> {

    private final RowFile out;
    private final Quarantine bad;
    private final RowFile.Kept kept;
    private final ProgressLine progress;

    Writing(RowFile out, Quarantine bad, RowFile.Kept kept, ProgressLine progress) {
      this.out = out;
      this.bad = bad;
      this.kept = kept;
      this.progress = progress;
    }

    @Override
    public void accept(Verified verified) throws IOException {
      if (verified.row == null || verified.text == null) {
        bad.add(verified.line, Objects.requireNonNull(verified.fault));
        return;
      }
      kept.requireEnd(); // fails if the kept rows are not from this input
      verdicts.count(verified.row);
      examine(verified.line.number(), verified.row);
      out.line(verified.text);
      long made = out.rows() - out.kept();
      progress.to(out.rows(), verified.share, progress.rate(made, "rows"));
    }

    @Override
    public void caughtUp() throws IOException {
      out.flush();
    }
  }

  private Verified verify(
      JsonLines lines, JsonlVerifier verifier, JsonLines.Line line, double share) {
    try {
      ObjectNode row = lines.parse(line);
      verifier.verify(row);
      return new Verified(line, share, row, JsonLines.write(row), null);
    } catch (DataException e) {
      return new Verified(line, share, null, null, e);
    } catch (FieldException e) {
      return new Verified(line, share, null, null, fault(line.number(), e));
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

    /** How many constraints got a verdict. */
    int decided() {
      return satisfied + violated;
    }

    void report(ObjectNode report) {
      report.put("satisfied", satisfied).put("not_satisfied", violated);
      if (undecided > 0) {
        report.put("without_verdict", undecided);
      }
    }
  }
}
