package org.hirengine.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.hirengine.engine.rollout.Completion;
import org.hirengine.engine.rollout.Completion.FinishReason;
import org.hirengine.replay.DataException;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.InstructionJson;
import org.hirengine.replay.JsonLines;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code hir generate}: responses to prompts, as lines that {@code hir verify} reads. */
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    description = {
      "Samples responses of a model.",
      "",
      "With --prompt the response is shown as it is sampled. With --in and --out, each line holds a"
          + " prompt, messages, or an instruction (question, criteria, q_type). The line is written"
          + " once per response, with response, token_ids, logprobs and finish_reason (stop or"
          + " length) added, and prompt if it had a question; other fields are kept. A prompt"
          + " without room for a response is skipped and counted, never truncated.",
      "",
      "Rows are kept in OUT.part as they finish; after a kill or Ctrl-C, --resume continues there,"
          + " and gives the same file as an uninterrupted run."
    },
    footer = {
      "",
      "Examples:",
      "  hir generate --model data/demo/policy --prompt \"Describe the river.\"",
      "  hir generate --model data/demo/policy --in data/demo/hard/eval.jsonl --out"
          + " responses.jsonl",
      "  hir generate --model DIR --in prompts.jsonl --out r.jsonl --temperature 0 --resume",
      "  hir generate --model DIR --in eval.jsonl --out - | hir verify --in - --out verdicts.jsonl"
    })
final class GenerateCommand implements Callable<Integer> {

  private static final double TEMPERATURE = 1;

  @Mixin private ModelOptions model;

  @ArgGroup(multiplicity = "1")
  private Source source;

  /** Where prompts come from: the command line, or files. */
  private static final class Source {

    @Option(
        names = "--prompt",
        required = true,
        paramLabel = "TEXT",
        description = "One prompt, whose response is shown as it is sampled.")
    private @Nullable String prompt;

    @ArgGroup(exclusive = false, multiplicity = "1")
    private @Nullable LineFiles files;
  }

  @Mixin private ResumeOption resume;
  @Mixin private SamplingOptions sampling;

  @Option(
      names = "--n",
      defaultValue = "1",
      paramLabel = "N",
      description = "Responses per prompt (default: ${DEFAULT-VALUE}).")
  private int n;

  @Option(names = "--json", description = "Report the counts as JSON.")
  private boolean json;

  @Spec private CommandSpec spec;

  private long tokens;

  @Override
  public Integer call() throws IOException {
    if (n < 1) {
      throw new ParameterException(spec.commandLine(), "--n must be at least 1");
    }
    if (source.files != null) {
      toFile(source.files);
    } else {
      if (resume.given()) {
        throw new ParameterException(spec.commandLine(), "--resume needs --in and --out");
      }
      toTerminal(String.valueOf(source.prompt));
    }
    return 0;
  }

  /** Shows responses one after another, each as it grows. */
  private void toTerminal(String prompt) {
    ObjectNode row = JsonLines.MAPPER.createObjectNode().put("prompt", prompt);
    Instruction instruction = InstructionJson.read(row, "--prompt", 0, null);
    PrintWriter out = spec.commandLine().getOut();
    try (StopSignal stop = new StopSignal();
        ModelSession session = new ModelSession(model, stop);
        ResponseStream responses =
            new ResponseStream(session, sampling, instruction, TEMPERATURE)) {
      long start = System.nanoTime();
      for (int i = 0; i < n; i++) {
        if (i > 0) {
          out.println();
        }
        Completion completion;
        try {
          completion =
              responses.show(
                  i,
                  text -> {
                    out.print(text);
                    out.flush();
                  });
        } finally {
          out.println();
          out.flush();
        }
        tokens += completion.tokens().length;
        if (completion.finishReason() == FinishReason.LENGTH) {
          say("stopped after " + completion.tokens().length + " tokens (--max-tokens)");
        }
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      ObjectNode report = JsonLines.MAPPER.createObjectNode();
      report.put("responses", n).put("tokens", tokens);
      report.put("tokens_per_s", Math.round(10 * tokens / seconds) / 10.0);
      say(LineFiles.counts(report, json));
    }
  }

  private void say(String line) {
    spec.commandLine().getErr().println(line);
    spec.commandLine().getErr().flush();
  }

  private void toFile(LineFiles files) throws IOException {
    if (files.complete(resume, spec)) {
      return;
    }
    List<ObjectNode> rows = new ArrayList<>();
    List<Instruction> asked = new ArrayList<>();
    ObjectNode setup = JsonLines.MAPPER.createObjectNode().put("command", "generate");
    model.describe(setup);
    sampling.describe(setup, TEMPERATURE);
    setup.put("n", n);
    ObjectNode report = JsonLines.MAPPER.createObjectNode();
    try (StopSignal stop = new StopSignal();
        Quarantine bad = files.quarantine()) {
      setup.put("input", read(files, rows, asked, bad));
      // opened before the model, so that an unusable output fails early
      try (RowFile out = files.create(resume, setup, spec)) {
        generate(rows, asked, out, stop, report);
      }
      files.report(spec, report, bad, json);
    }
  }

  private void generate(
      List<ObjectNode> rows,
      List<Instruction> asked,
      RowFile out,
      StopSignal stop,
      ObjectNode report)
      throws IOException {
    try (ModelSession session = new ModelSession(model, stop)) {
      countKept(out);
      ResponseSampler sampler =
          new ResponseSampler(session, sampling, spec.commandLine().getErr(), asked);
      sampler.sample(
          n,
          TEMPERATURE,
          out.kept(),
          (index, text, completion) -> {
            ObjectNode row = rows.get(index).deepCopy();
            if (row.has("question")) {
              row.put("prompt", asked.get(index).promptText());
            }
            out.line(JsonLines.write(complete(row, text, completion)));
            out.flush();
          });
      out.commit();
      report
          .put("responses", out.rows())
          .put("tokens", tokens)
          .put("skipped_prompts", sampler.skipped().size());
    }
  }

  private void countKept(RowFile out) throws IOException {
    try (RowFile.Kept kept = out.readKept()) {
      for (ObjectNode row = kept.peek(); row != null; row = kept.peek()) {
        tokens += row.path("token_ids").size();
        kept.skip();
      }
    }
  }

  /** Returns a value that identifies this input. */
  private static String read(
      LineFiles files, List<ObjectNode> rows, List<Instruction> asked, Quarantine bad)
      throws IOException {
    InputDigest digest = new InputDigest();
    try (InputStream in = files.open()) {
      JsonLines lines = new JsonLines(in, files.inputName());
      for (JsonLines.Line line = lines.next(); line != null; line = lines.next()) {
        try {
          ObjectNode row = lines.parse(line);
          ObjectNode request = row.deepCopy();
          // constraints do not matter here, and reading them may need a --bench
          request.remove(List.of("instruction_id_list", "kwargs", "constraints"));
          asked.add(InstructionJson.read(request, files.inputName(), line.number(), null));
          rows.add(row);
          digest.add(line.text());
        } catch (DataException e) {
          bad.add(line, e);
        }
      }
    }
    bad.commit(rows.size());
    if (rows.isEmpty()) {
      throw new DataException(
          files.inputName(), 0, null, "holds no rows", "give one prompt per line");
    }
    return digest.hex();
  }

  private ObjectNode complete(ObjectNode row, String text, Completion completion) {
    row.put("response", text);
    ArrayNode ids = row.putArray("token_ids");
    ArrayNode logprobs = row.putArray("logprobs");
    for (int i = 0; i < completion.tokens().length; i++) {
      ids.add(completion.tokens()[i]);
      logprobs.add(completion.logprobs()[i]);
    }
    row.put("finish_reason", completion.finishReason().name().toLowerCase(Locale.ROOT));
    tokens += completion.tokens().length;
    return row;
  }
}
