package org.hirengine.cli.report;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.core.io.SerializedString;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.hirengine.engine.runs.JsonNumbers;
import org.hirengine.engine.runs.Metric;
import org.hirengine.engine.runs.MetricsLog;
import org.hirengine.engine.runs.RolloutDump;
import org.hirengine.engine.runs.RolloutRow;
import org.hirengine.engine.runs.RunException;
import org.hirengine.engine.runs.StepMetrics;
import org.hirengine.engine.runs.Summary;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.JsonLines;
import org.hirengine.replay.Message;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.Verdict;
import org.jspecify.annotations.Nullable;

/**
 * What the page shows of a run, as one JSON object: metrics by column, the instructions, the
 * rollouts with the numbers of their instructions, configuration and summary.
 *
 * @param json safe inside a script element: {@code <}, {@code >} and {@code &} are escapes in it
 * @param steps training steps that have metrics
 * @param rows rollouts in it
 */
record RunData(String json, int steps, int rows) {

  private static final Pattern HALF_PAIR = Pattern.compile("\\p{Cs}");
  private static final Pattern SEED = Pattern.compile("seed-\\d+");

  /**
   * Reads a run folder, also one that is being written.
   *
   * @param rows approximate number of rollouts to take: whole steps, evenly spaced
   * @throws RunException when the folder is not a run's
   */
  static RunData read(Path run, int rows) throws IOException {
    Path metrics = run.resolve("metrics.jsonl");
    if (!Files.isDirectory(run) || !Files.exists(metrics)) {
      throw new RunException(
          run + " is not a run folder: it has no metrics.jsonl",
          "give the folder that 'out' of a training run names; the first step must be through");
    }
    Collector collector = new Collector(run, MetricsLog.read(metrics), rows);
    // Files and browsers cannot hold half a surrogate pair.
    String json = HALF_PAIR.matcher(collector.json()).replaceAll("\uFFFD");
    return new RunData(json, collector.steps.size(), collector.rows);
  }

  /** Keeps texts of the run from ending the element that holds them or starting another. */
  private static final class MarkupEscapes extends CharacterEscapes {

    private static final long serialVersionUID = 1L;

    private final int[] ascii = standardAsciiEscapesForJSON();

    MarkupEscapes() {
      for (char c : new char[] {'<', '>', '&'}) {
        ascii[c] = ESCAPE_CUSTOM;
      }
    }

    @Override
    public int[] getEscapeCodesForAscii() {
      return ascii;
    }

    @Override
    public @Nullable SerializableString getEscapeSequence(int c) {
      // Also called for characters beyond ASCII, none of which need an escape.
      return c < ascii.length && ascii[c] == ESCAPE_CUSTOM
          ? new SerializedString(String.format(Locale.ROOT, "\\u%04x", c))
          : null;
    }
  }

  /** Writes the object. */
  private static final class Collector {

    private final Path run;
    private final List<StepMetrics> steps;
    private final int wanted;
    private final Map<Instruction, Integer> instructions = new LinkedHashMap<>();
    private int rows;

    Collector(Path run, List<StepMetrics> steps, int wanted) {
      this.run = run;
      this.steps = steps;
      this.wanted = wanted;
    }

    String json() throws IOException {
      StringWriter text = new StringWriter();
      try (JsonGenerator json =
          JsonLines.MAPPER.writer().with(new MarkupEscapes()).createGenerator(text)) {
        json.writeStartObject();
        json.writeStringField("folder", name(run.toAbsolutePath().normalize()));
        writeFiles(json);
        writeMetrics(json);
        writeRollouts(json);
        json.writeArrayFieldStart("instructions");
        for (Instruction instruction : instructions.keySet()) {
          write(json, instruction);
        }
        json.writeEndArray();
        json.writeEndObject();
      }
      return text.toString();
    }

    /** For one of several seeds, includes the folder that the seeds share. */
    private static String name(Path folder) {
      int names = folder.getNameCount();
      boolean seed = names > 1 && SEED.matcher(folder.getFileName().toString()).matches();
      return folder.subpath(names - (seed ? 2 : 1), names).toString();
    }

    private void writeFiles(JsonGenerator json) throws IOException {
      Path summary = run.resolve("summary.json");
      json.writeFieldName("summary");
      if (Files.exists(summary)) {
        json.writeTree(JsonLines.MAPPER.valueToTree(Summary.read(summary)));
      } else {
        json.writeNull();
      }
      Path config = run.resolve("config.yaml");
      json.writeStringField("config", Files.exists(config) ? Files.readString(config) : "");
    }

    private void writeMetrics(JsonGenerator json) throws IOException {
      json.writeArrayFieldStart("step");
      for (StepMetrics step : steps) {
        json.writeNumber(step.step());
      }
      json.writeEndArray();
      json.writeObjectFieldStart("metrics");
      for (Metric metric : Metric.values()) {
        if (steps.stream().anyMatch(step -> step.get(metric).isPresent())) {
          json.writeObjectFieldStart(metric.key());
          json.writeStringField("description", metric.description());
          json.writeArrayFieldStart("values");
          for (StepMetrics step : steps) {
            write(json, step.get(metric));
          }
          json.writeEndArray();
          json.writeEndObject();
        }
      }
      json.writeEndObject();
      SortedSet<String> types = new TreeSet<>();
      steps.forEach(step -> types.addAll(step.satisfied().keySet()));
      json.writeObjectFieldStart("satisfied");
      for (String type : types) {
        json.writeArrayFieldStart(type);
        for (StepMetrics step : steps) {
          Double fraction = step.satisfied().get(type);
          write(json, fraction == null ? OptionalDouble.empty() : OptionalDouble.of(fraction));
        }
        json.writeEndArray();
      }
      json.writeEndObject();
    }

    private static void write(JsonGenerator json, OptionalDouble value) throws IOException {
      if (value.isEmpty()) {
        json.writeNull();
      } else {
        JsonNumbers.write(json, value.getAsDouble());
      }
    }

    private void writeRollouts(JsonGenerator json) throws IOException {
      Path folder = run.resolve("rollouts");
      int[] dumped = RolloutDump.steps(folder);
      int[] shown = wanted == 0 || dumped.length == 0 ? new int[0] : evenlySpaced(folder, dumped);
      json.writeNumberField("dumpedSteps", dumped.length);
      json.writeFieldName("shownSteps");
      json.writeArray(shown, 0, shown.length);
      json.writeArrayFieldStart("rollouts");
      for (int step : shown) {
        for (RolloutRow row : RolloutDump.read(RolloutDump.file(folder, step))) {
          write(json, step, row);
          rows++;
        }
      }
      json.writeEndArray();
    }

    private int[] evenlySpaced(Path folder, int[] dumped) {
      int perStep = RolloutDump.read(RolloutDump.file(folder, dumped[0])).size();
      int count = Math.min(dumped.length, Math.max(2, wanted / Math.max(1, perStep)));
      return IntStream.range(0, count)
          .map(
              i ->
                  dumped[
                      (int) Math.round((double) i * (dumped.length - 1) / Math.max(1, count - 1))])
          .distinct()
          .toArray();
    }

    private void write(JsonGenerator json, int step, RolloutRow row) throws IOException {
      json.writeStartObject();
      json.writeNumberField("step", step);
      json.writeNumberField("index", row.index());
      json.writeNumberField("row", row.row());
      json.writeNumberField("instruction", number(row.instruction()));
      RolloutRow.Replay replay = row.replay();
      if (replay != null) {
        json.writeNumberField("of", replay.of());
        json.writeNumberField("rewritten", number(replay.rewrite().instruction()));
        json.writeNumberField("relabelled", replay.rewrite().relabelled());
        json.writeNumberField("swapped", replay.rewrite().swapped());
        json.writeNumberField("dropped", replay.rewrite().dropped());
      }
      json.writeStringField("response", row.response());
      json.writeNumberField("tokens", row.responseIds().length);
      json.writeStringField("finish", row.finishReason());
      json.writeArrayFieldStart("verdicts");
      for (Verdict verdict : row.judge().verdicts()) {
        json.writeStartArray();
        json.writeString(verdict.outcome().name().toLowerCase(Locale.ROOT));
        json.writeString(verdict.reason());
        json.writeEndArray();
      }
      json.writeEndArray();
      json.writeFieldName("reward");
      write(json, OptionalDouble.of(row.reward()));
      json.writeFieldName("advantage");
      write(json, Arrays.stream(row.advantages()).average());
      json.writeFieldName("entropy");
      write(json, OptionalDouble.of(row.entropy()));
      json.writeFieldName("score");
      Double score = row.score();
      write(json, score == null ? OptionalDouble.empty() : OptionalDouble.of(score));
      json.writeFieldName("logprob");
      float[] old = row.oldLogprobs();
      write(json, IntStream.range(0, old.length).mapToDouble(i -> old[i]).average());
      json.writeEndObject();
    }

    private int number(Instruction instruction) {
      Integer known = instructions.putIfAbsent(instruction, instructions.size());
      return known == null ? instructions.size() - 1 : known;
    }

    private static void write(JsonGenerator json, Instruction instruction) throws IOException {
      json.writeStartObject();
      json.writeStringField("id", instruction.id());
      json.writeStringField("question", instruction.question());
      writeText(json, "system", instruction.system());
      json.writeArrayFieldStart("history");
      for (Message message : instruction.history()) {
        json.writeStartObject();
        json.writeStringField("role", message.role());
        json.writeStringField("content", message.content());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeStringField("prompt", instruction.promptText());
      json.writeArrayFieldStart("constraints");
      int count = Math.max(instruction.criteria().size(), instruction.constraints().size());
      for (int i = 0; i < count; i++) {
        json.writeStartObject();
        if (i < instruction.constraints().size()) {
          ConstraintSpec spec = instruction.constraints().get(i);
          json.writeStringField("type", spec.bench() + "/" + spec.id());
          json.writeStringField("kwargs", kwargs(spec));
        }
        if (i < instruction.criteria().size()) {
          json.writeStringField("sentence", instruction.criteria().get(i));
        }
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    }

    private static String kwargs(ConstraintSpec spec) {
      return spec.kwargs().isEmpty()
          ? ""
          : JsonLines.write(JsonLines.MAPPER.valueToTree(new TreeMap<>(spec.kwargs())));
    }

    private static void writeText(JsonGenerator json, String field, @Nullable String text)
        throws IOException {
      if (text != null) {
        json.writeStringField(field, text);
      }
    }
  }
}
