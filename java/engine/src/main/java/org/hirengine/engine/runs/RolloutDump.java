package org.hirengine.engine.runs;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.hirengine.replay.DataException;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.InstructionJson;
import org.hirengine.replay.JsonLines;
import org.hirengine.replay.Rewrite;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Verdict;
import org.jspecify.annotations.Nullable;

/**
 * {@code rollouts/step-N.jsonl}: a step's trained rows, one JSON object per line in training order,
 * with every field. Numbers are read back bit for bit; {@code "nan"}, {@code "inf"} and {@code
 * "-inf"} represent those that JSON cannot.
 *
 * <p>Fields: {@code step}, {@code index}, {@code prompt_id}, {@code row}, {@code purpose}, {@code
 * instruction} (the engine's JSONL format), {@code replay} ({@code of}, {@code instruction}, {@code
 * relabelled}, {@code swapped}, {@code dropped}; null for an original), {@code prompt}, {@code
 * prompt_ids}, {@code response}, {@code response_ids}, {@code finish_reason}, {@code logprobs}
 * ({@code rollout}, {@code old}, {@code ref}), {@code judge_list} ({@code constraint}, {@code
 * outcome}, {@code reason}), {@code cla}, {@code ila}, {@code reward}, {@code advantages}, {@code
 * entropy}, {@code score}. {@code cla}, {@code ila} and the names in {@code judge_list} repeat
 * other fields, for people and scripts.
 */
public final class RolloutDump {

  private static final Pattern NAME = Pattern.compile("step-(\\d{1,9})\\.jsonl");

  private static final ObjectWriter WRITER =
      JsonLines.MAPPER.writer().with(StreamWriteFeature.USE_FAST_DOUBLE_WRITER);

  private RolloutDump() {}

  /** The dump of a step within {@link RunFolder#rollouts()}. */
  public static Path file(Path rollouts, int step) {
    return rollouts.resolve("step-" + step + ".jsonl");
  }

  /**
   * Writes a step's rows, under a temporary name first.
   *
   * @throws RunException when the file cannot be written
   */
  public static void write(Path file, int step, List<RolloutRow> rows) {
    AtomicFile.write(file, out -> write(out, step, rows));
  }

  private static void write(OutputStream file, int step, List<RolloutRow> rows) throws IOException {
    BufferedOutputStream out = new BufferedOutputStream(file, 1 << 16);
    for (RolloutRow row : rows) {
      String line = line(WRITER, step, row);
      if (!StandardCharsets.UTF_8.newEncoder().canEncode(line)) { // half a surrogate pair
        line = line(WRITER.with(JsonWriteFeature.ESCAPE_NON_ASCII), step, row);
      }
      out.write(line.getBytes(StandardCharsets.UTF_8));
      out.write('\n');
    }
    out.flush();
  }

  private static String line(ObjectWriter writer, int step, RolloutRow row) throws IOException {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = writer.createGenerator(text)) {
      write(json, step, row);
    }
    return text.toString();
  }

  private static void write(JsonGenerator json, int step, RolloutRow row) throws IOException {
    json.writeStartObject();
    json.writeNumberField("step", step);
    json.writeNumberField("index", row.index());
    json.writeStringField("prompt_id", row.promptId());
    json.writeNumberField("row", row.row());
    json.writeStringField("purpose", row.purpose());
    json.writeFieldName("instruction");
    json.writeTree(InstructionJson.write(row.instruction()));
    json.writeFieldName("replay");
    write(json, row.replay());
    json.writeStringField("prompt", row.prompt());
    write(json, "prompt_ids", row.promptIds());
    json.writeStringField("response", row.response());
    write(json, "response_ids", row.responseIds());
    json.writeStringField("finish_reason", row.finishReason());
    json.writeObjectFieldStart("logprobs");
    write(json, "rollout", row.rolloutLogprobs());
    write(json, "old", row.oldLogprobs());
    write(json, "ref", row.refLogprobs());
    json.writeEndObject();
    write(json, row.instruction().constraints(), row.judge());
    json.writeNumberField("cla", row.judge().cla());
    json.writeBooleanField("ila", row.judge().ila());
    json.writeFieldName("reward");
    JsonNumbers.write(json, row.reward());
    json.writeArrayFieldStart("advantages");
    for (double advantage : row.advantages()) {
      JsonNumbers.write(json, advantage);
    }
    json.writeEndArray();
    json.writeFieldName("entropy");
    JsonNumbers.write(json, row.entropy());
    json.writeFieldName("score");
    if (row.score() == null) {
      json.writeNull();
    } else {
      JsonNumbers.write(json, row.score());
    }
    json.writeEndObject();
  }

  private static void write(JsonGenerator json, RolloutRow.@Nullable Replay replay)
      throws IOException {
    if (replay == null) {
      json.writeNull();
      return;
    }
    json.writeStartObject();
    json.writeNumberField("of", replay.of());
    json.writeNumberField("relabelled", replay.rewrite().relabelled());
    json.writeNumberField("swapped", replay.rewrite().swapped());
    json.writeNumberField("dropped", replay.rewrite().dropped());
    json.writeFieldName("instruction");
    json.writeTree(InstructionJson.write(replay.rewrite().instruction()));
    json.writeEndObject();
  }

  private static void write(JsonGenerator json, List<ConstraintSpec> constraints, JudgeList judge)
      throws IOException {
    json.writeArrayFieldStart("judge_list");
    for (int i = 0; i < judge.size(); i++) {
      Verdict verdict = judge.verdicts().get(i);
      json.writeStartObject();
      if (i < constraints.size()) {
        ConstraintSpec constraint = constraints.get(i);
        json.writeStringField("constraint", constraint.bench() + "/" + constraint.id());
      }
      json.writeStringField("outcome", verdict.outcome().name().toLowerCase(Locale.ROOT));
      json.writeStringField("reason", verdict.reason());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static void write(JsonGenerator json, String field, int[] values) throws IOException {
    json.writeFieldName(field);
    json.writeArray(values, 0, values.length);
  }

  private static void write(JsonGenerator json, String field, float @Nullable [] values)
      throws IOException {
    if (values == null) {
      json.writeNullField(field);
      return;
    }
    json.writeArrayFieldStart(field);
    for (float value : values) {
      JsonNumbers.write(json, value);
    }
    json.writeEndArray();
  }

  /**
   * Reads a dump, line by line.
   *
   * @throws RunException when the file cannot be read
   * @throws DataException naming a line and field that are invalid
   */
  public static void forEach(Path file, Consumer<RolloutRow> action) {
    try (InputStream in = Files.newInputStream(file)) {
      JsonLines lines = new JsonLines(in, file.toString());
      for (JsonLines.Line line = lines.next(); line != null; line = lines.next()) {
        action.accept(new Reader(lines.parse(line), file.toString(), line.number()).row());
      }
    } catch (IOException e) {
      throw RunException.io("read", file, e, "give the path of a rollouts/step-N.jsonl");
    }
  }

  /** All rows of a dump; see {@link #forEach}. */
  public static List<RolloutRow> read(Path file) {
    List<RolloutRow> rows = new ArrayList<>();
    forEach(file, rows::add);
    return rows;
  }

  /** The step in a dump's file name, or empty if the name is not that of a dump. */
  public static OptionalInt stepOf(Path file) {
    Matcher name = NAME.matcher(file.getFileName().toString());
    return name.matches() ? OptionalInt.of(Integer.parseInt(name.group(1))) : OptionalInt.empty();
  }

  /**
   * The steps that have a dump in {@code rollouts}, ascending; none if the folder does not exist.
   */
  public static int[] steps(Path rollouts) {
    if (!Files.isDirectory(rollouts)) {
      return new int[0];
    }
    try (Stream<Path> files = Files.list(rollouts)) {
      return files.map(RolloutDump::stepOf).flatMapToInt(OptionalInt::stream).sorted().toArray();
    } catch (IOException e) {
      throw RunException.io("read", rollouts, e, "check the path");
    }
  }

  /** Deletes the dumps of steps after {@code step}: those that a resumed run repeats. */
  static void deleteAfter(Path rollouts, int step) {
    for (int later : steps(rollouts)) {
      Path file = file(rollouts, later);
      try {
        if (later > step) {
          Files.delete(file);
        }
      } catch (IOException e) {
        throw RunException.io("delete", file, e, "delete it by hand");
      }
    }
  }

  /** A line being read, with its place for errors. */
  private record Reader(ObjectNode line, String file, long number) {

    RolloutRow row() {
      JsonNode logprobs = get(line, "logprobs");
      return new RolloutRow(
          get(line, "index").intValue(),
          text("prompt_id"),
          get(line, "row").intValue(),
          text("purpose"),
          instruction(line),
          replay(),
          text("prompt"),
          ints("prompt_ids"),
          text("response"),
          ints("response_ids"),
          text("finish_reason"),
          floats(logprobs, "rollout"),
          floats(logprobs, "old"),
          logprobs.path("ref").isNull() ? null : floats(logprobs, "ref"),
          judge(),
          number(line, "reward"),
          doubles(line, "advantages"),
          number(line, "entropy"),
          line.path("score").isNull() ? null : number(line, "score"));
    }

    private Instruction instruction(JsonNode owner) {
      JsonNode node = get(owner, "instruction");
      if (node instanceof ObjectNode object) {
        return InstructionJson.read(object, file, number, null);
      }
      throw fault("instruction");
    }

    private RolloutRow.@Nullable Replay replay() {
      JsonNode replay = line.path("replay");
      if (replay.isNull()) {
        return null;
      }
      return new RolloutRow.Replay(
          get(replay, "of").intValue(),
          new Rewrite.Rewritten(
              instruction(replay),
              get(replay, "relabelled").intValue(),
              get(replay, "swapped").intValue(),
              get(replay, "dropped").intValue()));
    }

    private JudgeList judge() {
      List<Verdict> verdicts = new ArrayList<>();
      for (JsonNode verdict : get(line, "judge_list")) {
        try {
          verdicts.add(
              new Verdict(
                  Verdict.Outcome.valueOf(
                      get(verdict, "outcome").asText().toUpperCase(Locale.ROOT)),
                  get(verdict, "reason").asText()));
        } catch (IllegalArgumentException e) {
          throw fault("judge_list");
        }
      }
      return new JudgeList(verdicts);
    }

    private JsonNode get(JsonNode owner, String field) {
      JsonNode node = owner.path(field);
      if (node.isMissingNode()) {
        throw fault(field);
      }
      return node;
    }

    private String text(String field) {
      return get(line, field).asText();
    }

    private int[] ints(String field) {
      JsonNode node = get(line, field);
      int[] values = new int[node.size()];
      for (int i = 0; i < values.length; i++) {
        values[i] = node.get(i).intValue();
      }
      return values;
    }

    private double[] doubles(JsonNode owner, String field) {
      JsonNode node = get(owner, field);
      double[] values = new double[node.size()];
      try {
        for (int i = 0; i < values.length; i++) {
          values[i] = JsonNumbers.read(node.get(i));
        }
      } catch (IllegalArgumentException e) {
        throw fault(field);
      }
      return values;
    }

    /** A float's shortest decimal, read as a double and narrowed, is that float again. */
    private float[] floats(JsonNode owner, String field) {
      double[] wide = doubles(owner, field);
      float[] values = new float[wide.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) wide[i];
      }
      return values;
    }

    private double number(JsonNode owner, String field) {
      try {
        return JsonNumbers.read(get(owner, field));
      } catch (IllegalArgumentException e) {
        throw fault(field);
      }
    }

    private DataException fault(String field) {
      return new DataException(
          file,
          number,
          field,
          "is missing or is not what a rollout dump holds",
          "give a rollouts/step-N.jsonl that this version wrote");
    }
  }
}
