package org.hirengine.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.hirengine.engine.hub.Location;
import org.hirengine.replay.ConstraintCheck;
import org.hirengine.replay.DataException;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.InstructionJson;
import org.hirengine.replay.InstructionReader;
import org.hirengine.replay.JsonLines;
import org.hirengine.verify.ConstraintJson;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.FieldException;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verifiers;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code hir evaluate}: a benchmark's official tables for given responses. */
@Command(
    name = "evaluate",
    mixinStandardHelpOptions = true,
    description = {
      "Scores responses, or a model, by a benchmark's official tables: prompt and instruction"
          + " level, strict and loose, by kind (tier 0) and type (tier 1) of constraint.",
      "",
      "Each line of the responses holds prompt and response. The constraints (instruction_id_list"
          + " and kwargs, for MulDimIF constraints) stand in the line itself, or in --data, joined"
          + " by the prompt; a prompt of --data without a response counts as not followed.",
      "",
      "MulDimIF: Overall, first- and second-level categories, difficulty and pattern."
    },
    footer = {
      "",
      "Examples:",
      "  hir evaluate --bench ifeval --responses responses.jsonl --data input_data.jsonl",
      "  hir evaluate --bench ifeval --responses all-models.jsonl --by source --markdown",
      "  hir evaluate --bench data/demo/hard/eval.jsonl --model data/demo/policy --json"
    })
final class EvaluateCommand implements Callable<Integer> {

  @Option(
      names = "--bench",
      required = true,
      paramLabel = "NAME|FILE",
      description =
          "ifeval, ifbench, ifbench-r2 or muldimif; or a file of instructions that name theirs.")
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
          "A model's folder, or its name on the Hub: responses are sampled, greedily unless"
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

  @Mixin private VerifierOptions verification;

  @Mixin private SamplingOptions sampling;

  @Mixin private PlaceOptions place;

  @Option(names = "--json", description = "Print the scores as JSON.")
  private boolean json;

  @Option(names = "--markdown", description = "Print the scores as Markdown tables.")
  private boolean markdown;

  @Spec private CommandSpec spec;

  /** A response with its constraints and the table it belongs to. */
  private record Row(String group, Instruction instruction, String response) {}

  @Override
  public Integer call() throws IOException {
    if (json && markdown) {
      throw new ParameterException(spec.commandLine(), "--json and --markdown exclude each other");
    }
    if ((responses == null) == (model == null)) {
      throw new ParameterException(spec.commandLine(), "give either --responses or --model");
    }
    Verifiers verifiers = verification.verifiers();
    Map<String, Instruction> prompts = new LinkedHashMap<>();
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
    if (data != null) {
      readPrompts(data, benchName, prompts);
    }
    List<Row> rows =
        responses == null
            ? sampleResponses(model, prompts)
            : readResponses(responses, benchName, prompts);
    check(verifiers, rows);
    ScoreReport.Form form =
        json ? ScoreReport.Form.JSON : markdown ? ScoreReport.Form.MARKDOWN : ScoreReport.Form.TEXT;
    if (ConstraintJson.MULDIMIF.equals(benchName)) {
      CategoryReport report = new CategoryReport();
      judge(verifiers, rows, report);
      report.print(spec.commandLine().getOut(), form);
    } else {
      ScoreReport report = new ScoreReport(bench);
      judge(verifiers, rows, report);
      report.print(spec.commandLine().getOut(), form);
    }
    return 0;
  }

  /** Says once for each kind what can get no verdict, whatever the responses are. */
  private void check(Verifiers verifiers, List<Row> rows) {
    ConstraintCheck check = new ConstraintCheck(verifiers);
    boolean any = false;
    for (Instruction x : rows.stream().map(Row::instruction).distinct().toList()) {
      any |= check.examine("", x.id(), x.constraints()).size() < x.constraints().size();
    }
    if (!any) {
      throw new Failure(
          "no constraint can be checked: " + String.join("; ", check.warnings()),
          "correct the constraints; hir doctor --data FILE names every one");
    }
    check.warnings().forEach(each -> spec.commandLine().getErr().println("warning: " + each));
  }

  private static void readPrompts(
      String file, @Nullable String benchName, Map<String, Instruction> prompts)
      throws IOException {
    InstructionReader reader = new InstructionReader().requiring(EvaluateCommand::constrained);
    if (benchName != null) {
      reader = reader.withDefaultBench(benchName);
    }
    try (InputStream in = InputFile.open(file)) {
      for (Instruction x : reader.read(in, InputFile.describe(file)).instructions()) {
        prompts.put(x.promptText(), x);
      }
    }
  }

  /** A prompt without room for a response is not followed, as an unanswered one. */
  private List<Row> sampleResponses(Location model, Map<String, Instruction> prompts)
      throws IOException {
    if (prompts.isEmpty()) {
      throw new Failure(
          "--model needs the benchmark's prompts", "give them with --data FILE or --bench FILE");
    }
    List<Instruction> asked = List.copyOf(prompts.values());
    String[] texts = new String[asked.size()];
    Arrays.fill(texts, "");
    PrintWriter err = spec.commandLine().getErr();
    Path folder = Downloads.path(model, err);
    try (StopSignal stop = new StopSignal();
        ModelSession session = new ModelSession(folder, place, stop)) {
      new ResponseSampler(session, sampling, err)
          .sample(asked, 1, 0, 0, (index, text, completion) -> texts[index] = text);
    }
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < texts.length; i++) {
      rows.add(new Row("all", asked.get(i), texts[i]));
    }
    return rows;
  }

  private List<Row> readResponses(
      String file, @Nullable String benchName, Map<String, Instruction> prompts)
      throws IOException {
    String name = InputFile.describe(file);
    List<Row> rows = new ArrayList<>();
    Map<String, Map<String, Instruction>> missing = new TreeMap<>();
    try (InputStream in = InputFile.open(file)) {
      JsonLines lines = new JsonLines(in, name);
      for (JsonLines.Line line = lines.next(); line != null; line = lines.next()) {
        ObjectNode row = lines.parse(line);
        String response = text(row, "response", name, line.number());
        String group = by == null ? "all" : text(row, by, name, line.number());
        Instruction x;
        if (prompts.isEmpty()) {
          if (!row.has("question") && !row.has("messages") && !row.has("conversations")) {
            // What was asked is not needed where the line brings its constraints.
            row.putIfAbsent("prompt", TextNode.valueOf(""));
          }
          x = InstructionJson.read(row, name, line.number(), benchName);
          requireConstraints(x, name, line.number());
        } else {
          x = joined(prompts, text(row, "prompt", name, line.number()), name, line.number());
          missing.computeIfAbsent(group, g -> new LinkedHashMap<>(prompts)).remove(x.promptText());
        }
        rows.add(new Row(group, x, response));
      }
    }
    if (rows.isEmpty()) {
      throw new DataException(name, 0, null, "holds no rows", "give one response per line");
    }
    missing.forEach(
        (group, unanswered) -> unanswered.values().forEach(x -> rows.add(new Row(group, x, ""))));
    return rows;
  }

  private Instruction joined(
      Map<String, Instruction> prompts, String prompt, String file, long line) {
    Instruction x = prompts.get(prompt);
    if (x == null) {
      x = prompts.get(prompt.strip());
    }
    if (x == null) {
      throw new DataException(
          file,
          line,
          "prompt",
          "does not occur in " + data,
          "give the data these responses answer");
    }
    return x;
  }

  private static void requireConstraints(Instruction x, String file, long line) {
    try {
      constrained(x);
    } catch (FieldException e) {
      throw new DataException(file, line, e.field(), e.problem(), e.remedy());
    }
  }

  private static void constrained(Instruction x) {
    if (x.constraints().isEmpty()) {
      throw new FieldException(
          "instruction_id_list",
          "is missing or empty",
          "give the constraints in the line, or the benchmark's file with --data");
    }
  }

  private static String text(ObjectNode row, String field, String file, long line) {
    JsonNode node = row.path(field);
    if (!node.isTextual()) {
      throw new DataException(
          file,
          line,
          field,
          node.isMissingNode() ? "is missing" : "is not a string",
          "write a string");
    }
    return node.asText();
  }

  private void judge(Verifiers verifiers, List<Row> rows, CategoryReport report) {
    List<JudgeList> judged =
        verification.sideBySide(
            rows,
            row -> verifiers.judge(row.instruction().constraints(), Response.of(row.response())));
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      List<String> ids = row.instruction().constraints().stream().map(ConstraintSpec::id).toList();
      report.add(row.group(), row.instruction(), ids, judged.get(i));
    }
  }

  private void judge(Verifiers verifiers, List<Row> rows, ScoreReport report) {
    List<Verifiers.Judged> judged =
        verification.sideBySide(
            rows,
            row ->
                verifiers.judgeBoth(row.instruction().constraints(), Response.of(row.response())));
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      List<String> ids = row.instruction().constraints().stream().map(ConstraintSpec::id).toList();
      report.add(row.group(), ids, judged.get(i).strict(), judged.get(i).loose());
    }
  }
}
