package org.hirengine.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.hirengine.engine.model.ResponseBatch.Sequence;
import org.hirengine.engine.model.Scorer;
import org.hirengine.replay.DataException;
import org.hirengine.replay.InstructionJson;
import org.hirengine.replay.JsonLines;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code hir score}: log-probs and entropies of given responses. */
@Command(
    name = "score",
    mixinStandardHelpOptions = true,
    description = {
      "Scores responses: the log-prob of each token and the entropy of the distribution it came"
          + " from, in nats.",
      "",
      "Each line holds input_ids (a whole sequence of token ids) and response_start (the index of"
          + " the first token to score), or a prompt, messages or an instruction with token_ids"
          + " (from hir generate) or else the text of a response. It is written out with logprobs"
          + " and entropy, one value per scored token; text lines also get token_ids. Other fields"
          + " are kept.",
      "",
      "Rows are kept in OUT.part as they are scored; after a kill or Ctrl-C, --resume continues"
          + " there."
    },
    footer = {
      "",
      "Examples:",
      "  hir score --model data/demo/policy --in responses.jsonl --out scored.jsonl",
      "  hir score --model DIR --in ids.jsonl --out - --temperature 0.7"
    })
final class ScoreCommand implements Callable<Integer> {

  /** Packed tokens per forward pass. */
  private static final int TOKENS_AT_ONCE = 8192;

  /** What scoring adds to a line, or replaces. */
  private static final List<String> FIELDS = List.of("logprobs", "entropy", "token_ids");

  @Mixin private ModelOptions model;
  @Mixin private LineFiles files;
  @Mixin private ResumeOption resume;

  @Option(
      names = "--temperature",
      defaultValue = "1",
      paramLabel = "T",
      description = "Logits are divided by it first (default: ${DEFAULT-VALUE}).")
  private double temperature;

  @Option(names = "--json", description = "Report the counts as JSON.")
  private boolean json;

  @Spec private CommandSpec spec;

  /** Tokens of all rows, and of those that this run scored. */
  private long tokens;

  private long scored;

  @Override
  public Integer call() throws IOException {
    if (!(temperature > 0 && temperature < Double.POSITIVE_INFINITY)) {
      throw new ParameterException(spec.commandLine(), "--temperature must be above 0");
    }
    if (files.complete(resume, spec)) {
      return 0;
    }
    ObjectNode setup = JsonLines.MAPPER.createObjectNode().put("command", "score");
    model.describe(setup);
    setup.put("temperature", temperature);
    InputFile.Meter meter = new InputFile.Meter();
    try (StopSignal stop = new StopSignal();
        InputStream in = files.open(meter);
        RowFile out = files.create(resume, setup, spec);
        Quarantine bad = files.quarantine();
        ModelSession session = new ModelSession(model, stop)) {
      score(session, new JsonLines(in, files.inputName()), meter, out, bad);
      bad.commit(Math.toIntExact(out.rows()));
      out.commit();
      ObjectNode report = JsonLines.MAPPER.createObjectNode();
      report.put("rows", out.rows()).put("tokens", tokens);
      files.report(spec, report, bad, json);
    }
    return 0;
  }

  /**
   * A line to score.
   *
   * @param kept its row of an earlier run, or null
   */
  private record Task(ObjectNode row, Sequence sequence, @Nullable ObjectNode kept) {

    int tokens() {
      return sequence.prompt().length + sequence.response().length;
    }
  }

  /**
   * Scores group by group. Rows packed together can change each other by rounding, so the bounds of
   * groups depend on the input alone, and a resumed run scores the whole group that it was stopped
   * in.
   */
  private void score(
      ModelSession session, JsonLines lines, InputFile.Meter meter, RowFile out, Quarantine bad)
      throws IOException {
    List<Task> group = new ArrayList<>();
    int groupTokens = 0;
    PrintWriter err = spec.commandLine().getErr();
    try (RowFile.Kept kept = out.readKept();
        ProgressLine progress = ProgressLine.ofLong("score", 0, ProgressLine.UNKNOWN, err)) {
      for (JsonLines.Line line = lines.next(); line != null; line = lines.next()) {
        Task task;
        try {
          ObjectNode row = lines.parse(line);
          ObjectNode before = row.deepCopy();
          Sequence sequence = sequence(session, row, line.number());
          task = new Task(row, sequence, kept.rowOf(before, FIELDS));
        } catch (DataException e) {
          bad.add(line, e);
          continue;
        }
        if (!group.isEmpty() && groupTokens + task.tokens() > TOKENS_AT_ONCE) {
          score(session, group, out);
          progress.to(out.rows(), meter.share(), progress.rate(scored, "tokens"));
          groupTokens = 0;
        }
        group.add(task);
        groupTokens += task.tokens();
      }
      score(session, group, out);
      kept.requireEnd();
    }
  }

  private void score(ModelSession session, List<Task> group, RowFile out) throws IOException {
    if (group.stream().anyMatch(task -> task.kept == null)) {
      Scorer scorer = new Scorer(session.policy(), session.kernels());
      List<Sequence> sequences = group.stream().map(Task::sequence).toList();
      List<Scorer.Scores> scores =
          session.call(() -> scorer.score(sequences, temperature, TOKENS_AT_ONCE, true));
      for (int i = 0; i < group.size(); i++) {
        ObjectNode row = group.get(i).row;
        put(row.putArray("logprobs"), scores.get(i).logprobs());
        put(row.putArray("entropy"), scores.get(i).entropies());
        scored += scores.get(i).logprobs().length;
        if (group.get(i).kept == null) {
          out.line(JsonLines.write(row));
        }
      }
      out.flush();
    }
    group.forEach(task -> tokens += task.sequence.response().length);
    group.clear();
  }

  private static void put(ArrayNode array, float[] values) {
    for (float value : values) {
      array.add(value);
    }
  }

  private Sequence sequence(ModelSession session, ObjectNode row, long line) {
    Sequence sequence = row.has("input_ids") ? byIds(row, line) : byText(session, row, line);
    int length = sequence.prompt().length + sequence.response().length;
    int positions = session.policy().config().maxPositions();
    if (length > positions) {
      throw fault(
          line,
          row.has("input_ids") ? "input_ids" : "response",
          "makes a sequence of " + length + " tokens, the model has " + positions + " positions",
          "shorten it");
    }
    int vocabulary = session.policy().config().vocabSize();
    for (int[] ids : List.of(sequence.prompt(), sequence.response())) {
      for (int id : ids) {
        if (id < 0 || id >= vocabulary) {
          throw fault(
              line,
              "input_ids",
              "holds " + id + ", the model's vocabulary has " + vocabulary + " tokens",
              "encode the text with this model's tokenizer");
        }
      }
    }
    return sequence;
  }

  private Sequence byIds(ObjectNode row, long line) {
    int[] ids = ids(row, "input_ids", line);
    JsonNode start = row.path("response_start");
    if (!start.isInt() || start.asInt() < 1 || start.asInt() >= ids.length) {
      throw fault(
          line,
          "response_start",
          "is "
              + (start.isMissingNode() ? "missing" : start.toString())
              + " for "
              + ids.length
              + " token ids",
          "give the index of the first token to score, from 1 to the last (the very first token"
              + " has nothing that predicts it)");
    }
    int from = start.asInt();
    return Sequence.of(Arrays.copyOf(ids, from), Arrays.copyOfRange(ids, from, ids.length));
  }

  private Sequence byText(ModelSession session, ObjectNode row, long line) {
    ObjectNode request = row.deepCopy();
    request.remove(List.of("response", "instruction_id_list", "kwargs", "constraints"));
    int[] prompt =
        session.encoder().encode(InstructionJson.read(request, files.inputName(), line, null));
    if (row.path("token_ids").isArray() && !row.path("token_ids").isEmpty()) {
      return Sequence.of(prompt, ids(row, "token_ids", line));
    }
    JsonNode response = row.path("response");
    if (!response.isTextual() || response.asText().isEmpty()) {
      throw fault(
          line,
          "response",
          response.isTextual() ? "is empty" : "is missing",
          "give input_ids with response_start, or a prompt with the text of a response");
    }
    int[] ids = session.tokenizer().encode(response.asText());
    ArrayNode written = row.putArray("token_ids");
    Arrays.stream(ids).forEach(written::add);
    return Sequence.of(prompt, ids);
  }

  private int[] ids(ObjectNode row, String field, long line) {
    JsonNode list = row.get(field);
    int[] ids = new int[list.size()];
    for (int i = 0; i < ids.length; i++) {
      if (!list.get(i).isInt()) {
        throw fault(line, field, "holds " + list.get(i), "write a list of token ids");
      }
      ids[i] = list.get(i).asInt();
    }
    return ids;
  }

  private DataException fault(long line, String field, String problem, String remedy) {
    return new DataException(files.inputName(), line, field, problem, remedy);
  }
}
