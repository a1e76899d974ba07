package org.hirengine.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.hirengine.cli.ResponseFile.Row;
import org.hirengine.engine.hub.Location;
import org.hirengine.engine.rollout.Completion;
import org.hirengine.replay.ConstraintCheck;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.InstructionJson;
import org.hirengine.replay.InstructionReader;
import org.hirengine.replay.JsonLines;
import org.hirengine.verify.ConstraintJson;
import org.hirengine.verify.JsonlVerifier;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifiers;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code hir evaluate}: a benchmark's official tables for given responses, or for a model. */
@Command(
    name = "evaluate",
    mixinStandardHelpOptions = true,
    description = {
      "Scores responses, or a model, by a benchmark's official tables: prompt and instruction"
          + " level, strict and loose, by kind (tier 0) and type (tier 1) of constraint.",
      "",
      "MulDimIF: Overall, first- and second-level categories, difficulty and pattern.",
      "",
      "Each line of the responses holds a response and its constraints (instruction_id_list and"
          + " kwargs, for MulDimIF constraints); each line counts.",
      "",
      "With --data the constraints come from there, joined as the references join them: by prompt"
          + " (ignoring surrounding white space if needed), or by id if a line has no prompt. Of"
          + " several answers to one prompt the last counts; answers to unknown prompts are left"
          + " out and counted; a prompt without an answer counts as not followed.",
      "",
      "--out keeps each response with its verdicts. With --model its rows are kept in OUT.part as"
          + " they are sampled and verified; after a kill or Ctrl-C, --resume continues there."
    },
    footer = {
      "",
      "Examples:",
      "  hir evaluate --bench ifeval --responses responses.jsonl --data input_data.jsonl",
      "  hir evaluate --bench ifeval --responses all-models.jsonl --by source --markdown",
      "  hir evaluate --bench data/demo/hard/eval.jsonl --model data/demo/policy --json",
      "  hir evaluate --bench ifeval --data input_data.jsonl --model DIR --max-tokens 512"
          + " --out rows.jsonl --resume"
    })
final class EvaluateCommand implements Callable<Integer> {

  @Option(
      names = "--bench",
      required = true,
      paramLabel = "NAME|FILE",
      description =
          "ifeval, ifbench, ifbench-r2 or muldimif; or a file of instructions that name their own"
              + " benchmark.")
  private String bench;

  @Option(
      names = "--responses",
      paramLabel = "FILE",
      description = "JSON Lines with prompt and response; - is standard input.")
  private @Nullable String responses;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description =
          "A model's folder, .gguf file or name on the Hub: responses are sampled, greedily unless"
              + " --temperature is given.")
  private @Nullable Location model;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      description =
          "The benchmark's prompts with their constraints, in any layout that training reads.")
  private @Nullable String data;

  @Option(
      names = "--by",
      paramLabel = "FIELD",
      description = "One table for each value of this field of the responses, such as source.")
  private @Nullable String by;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description =
          "Write each response with its constraints, verdicts and reasons, as JSON Lines.")
  private @Nullable String out;

  @Mixin private ResumeOption resume;

  @Mixin private VerifierOptions verification;

  @Mixin private SamplingOptions sampling;

  @Mixin private AdapterOption adapter;

  @Mixin private PlaceOptions place;

  @Option(names = "--json", description = "Print the scores as JSON.")
  private boolean json;

  @Option(names = "--markdown", description = "Print the scores as Markdown tables.")
  private boolean markdown;

  @Spec private CommandSpec spec;

  /** A response and its verdicts. */
  private record Judged(Row row, Verifiers.Judged verdicts) {}

  @Override
  public Integer call() throws IOException {
    checkOptions();
    Verifiers verifiers = verification.verifiers();
    String benchName = null;
    if (verifiers.benches().contains(bench)) {
      benchName = bench;
    } else if (data == null && (InputFile.isOnHub(bench) || Files.isRegularFile(Path.of(bench)))) {
      data = bench;
    } else {
      throw new Failure(
          "--bench " + bench + " is neither a known benchmark nor a file of instructions",
          "known benchmarks: " + String.join(", ", verifiers.benches()));
    }
    List<Instruction> prompts = data == null ? List.of() : readPrompts(data, benchName);
    if (model != null && prompts.isEmpty()) {
      throw new Failure(
          "--model needs the benchmark's prompts", "give them with --data FILE or --bench FILE");
    }
    Path folder = null;
    if (model != null) {
      check(verifiers, prompts);
      folder = Downloads.model(model, spec.commandLine().getErr());
    }
    Report report =
        ConstraintJson.MULDIMIF.equals(benchName) ? new CategoryReport() : new ScoreReport(bench);
    JsonlVerifier verifier = verification.jsonlVerifier(verifiers);
    ObjectNode counts = JsonLines.MAPPER.createObjectNode();
    try (StopSignal stop = folder == null ? null : new StopSignal();
        RowFile file = out == null ? null : open(out, folder, prompts)) {
      Judging judging = new Judging(verifier, report, file);
      try (InOrder<Judged> work = new InOrder<>(verification.threads(), judging)) {
        if (folder != null && stop != null) {
          sample(folder, prompts, judging, work, stop, file);
        } else {
          List<Row> rows = readResponses(String.valueOf(responses), benchName, prompts, counts);
          check(verifiers, rows.stream().map(Row::instruction).distinct().toList());
          judge(rows, judging, work);
        }
        work.finish();
      }
      if (file != null) {
        file.commit();
      }
    }
    verification.reportJudge(counts, spec.commandLine().getErr());
    report.print(spec.commandLine().getOut(), form(), counts);
    verification.requireJudge();
    return 0;
  }

  private List<Row> readResponses(
      String name, @Nullable String benchName, List<Instruction> prompts, ObjectNode counts)
      throws IOException {
    ResponseFile file = new ResponseFile(name, by, spec.commandLine().getErr());
    return data == null ? file.read(benchName) : file.join(data, prompts, counts);
  }

  private void judge(List<Row> rows, Judging judging, InOrder<Judged> work) throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    try (ProgressLine progress = ProgressLine.ofLong("judge", 0, rows.size(), err)) {
      judging.show(progress);
      for (Row row : rows) {
        judging.submit(work, row);
      }
      work.finish();
    }
  }

  private void checkOptions() {
    if (json && markdown) {
      throw new ParameterException(spec.commandLine(), "--json and --markdown exclude each other");
    }
    if ((responses == null) == (model == null)) {
      throw new ParameterException(spec.commandLine(), "give either --responses or --model");
    }
    if (responses != null && adapter.folder() != null) {
      throw new ParameterException(spec.commandLine(), "--adapter goes with --model");
    }
    if (resume.given() && (model == null || out == null)) {
      throw new ParameterException(spec.commandLine(), "--resume needs --model and --out");
    }
    if (out != null && OutputFile.isStandard(out)) {
      throw new ParameterException(
          spec.commandLine(), "--out needs a file: the tables go to standard output");
    }
  }

  private ScoreReport.Form form() {
    return json
        ? ScoreReport.Form.JSON
        : markdown ? ScoreReport.Form.MARKDOWN : ScoreReport.Form.TEXT;
  }

  /** Warns once for each kind of constraint that can get no verdict, whatever the responses are. */
  private void check(Verifiers verifiers, List<Instruction> instructions) {
    ConstraintCheck check = new ConstraintCheck(verifiers);
    boolean any = false;
    for (Instruction x : instructions) {
      any |= check.examine("", x.id(), x.constraints()).size() < x.constraints().size();
    }
    if (!any) {
      throw new Failure(
          "no constraint can be checked: " + String.join("; ", check.warnings()),
          "correct the constraints; hir doctor --data FILE names every one");
    }
    check.warnings().forEach(each -> spec.commandLine().getErr().println("warning: " + each));
  }

  private RowFile open(String name, @Nullable Path folder, List<Instruction> prompts)
      throws IOException {
    ObjectNode setup = JsonLines.MAPPER.createObjectNode().put("command", "evaluate");
    if (folder != null) {
      ModelSession.describe(folder, adapter.folder(), setup);
      place.describe(setup);
      sampling.describe(setup, 0);
    }
    verification.describe(setup);
    InputDigest digest = new InputDigest();
    prompts.forEach(x -> digest.add(JsonLines.write(InstructionJson.write(x))));
    setup.put("bench", bench).put("input", digest.hex());
    return RowFile.open(name, resume.given(), setup, spec.commandLine().getErr());
  }

  private static List<Instruction> readPrompts(String file, @Nullable String benchName)
      throws IOException {
    InstructionReader reader = new InstructionReader().requiring(ResponseFile::requireConstraints);
    if (benchName != null) {
      reader = reader.withDefaultBench(benchName);
    }
    try (InputStream in = InputFile.open(file)) {
      return reader.read(in, InputFile.describe(file)).instructions();
    }
  }

  /** Verifies rows in parallel, and adds them to the report and to the file in order. */
  private static final class Judging implements InOrder.Receiver<Judged> {

    private final JsonlVerifier verifier;
    private final Report report;
    private final @Nullable RowFile file;
    private @Nullable ProgressLine progress;
    private int judged;

    Judging(JsonlVerifier verifier, Report report, @Nullable RowFile file) {
      this.verifier = verifier;
      this.report = report;
      this.file = file;
    }

    void submit(InOrder<Judged> work, Row row) throws IOException {
      work.submit(
          () ->
              new Judged(
                  row,
                  verifier.judge(
                      benchOf(row.instruction()),
                      row.instruction().constraints(),
                      row.response())));
    }

    /** Shows how many rows have been verified. */
    void show(ProgressLine line) {
      progress = line;
    }

    /** Adds a row that an earlier run verified. */
    void addKept(ObjectNode kept, Instruction x) {
      report.add(Row.ALL, x, kept(kept, benchOf(x)));
    }

    @Override
    public void accept(Judged next) throws IOException {
      Row row = next.row;
      report.add(row.group(), row.instruction(), next.verdicts);
      judged++;
      if (progress != null) {
        progress.to(judged, progress.rate(judged, "rows"));
      }
      if (file != null) {
        ObjectNode line = row.row().deepCopy();
        verifier.put(line, benchOf(row.instruction()), next.verdicts);
        file.line(JsonLines.write(line));
      }
    }

    @Override
    public void caughtUp() throws IOException {
      if (file != null) {
        file.flush();
      }
    }

    private static String benchOf(Instruction x) {
      return x.bench() == null ? "" : x.bench();
    }

    private static Verifiers.Judged kept(ObjectNode row, String bench) {
      JudgeList strict =
          list(row.path(bench.equals(ConstraintJson.MULDIMIF) ? "verdict" : "strict"));
      return new Verifiers.Judged(
          strict, bench.equals(ConstraintJson.MULDIMIF) ? strict : list(row.path("loose")));
    }

    private static JudgeList list(JsonNode verdicts) {
      List<Verdict> list = new ArrayList<>();
      for (JsonNode verdict : verdicts) {
        list.add(
            verdict.isNull()
                ? Verdict.none("kept from an earlier run")
                : Verdict.of(verdict.asBoolean(), "kept from an earlier run"));
      }
      return new JudgeList(list);
    }
  }

  /** A prompt without room for a response counts as not followed, like an unanswered one. */
  private void sample(
      Path folder,
      List<Instruction> prompts,
      Judging judging,
      InOrder<Judged> work,
      StopSignal stop,
      @Nullable RowFile file)
      throws IOException {
    try (ModelSession session = new ModelSession(folder, adapter.folder(), place, stop)) {
      ResponseSampler sampler =
          new ResponseSampler(session, sampling, spec.commandLine().getErr(), prompts);
      List<Integer> order = new ArrayList<>(sampler.answered());
      order.addAll(sampler.skipped());
      int kept = 0;
      if (file != null) {
        try (RowFile.Kept rows = file.readKept()) {
          for (ObjectNode row = rows.peek(); row != null && kept < order.size(); kept++) {
            judging.addKept(row, prompts.get(order.get(kept)));
            rows.skip();
            row = rows.peek();
          }
        }
      }
      int sampled = sampler.answered().size();
      sampler.sample(
          1,
          0,
          Math.min(kept, sampled),
          (index, text, completion) ->
              judging.submit(work, sampledRow(prompts.get(index), text, completion)));
      for (int i = Math.max(kept, sampled); i < order.size(); i++) {
        judging.submit(work, sampledRow(prompts.get(order.get(i)), "", null));
      }
    }
  }

  private static Row sampledRow(Instruction x, String response, @Nullable Completion completion) {
    ObjectNode row = InstructionJson.write(x);
    row.put("prompt", x.promptText());
    row.put("response", response);
    if (completion != null) {
      row.put("finish_reason", completion.finishReason().name().toLowerCase(Locale.ROOT));
    }
    return new Row(Row.ALL, x, response, row);
  }
}
