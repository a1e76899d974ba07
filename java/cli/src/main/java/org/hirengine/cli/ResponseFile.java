package org.hirengine.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.hirengine.replay.DataException;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.InstructionJson;
import org.hirengine.replay.JsonLines;
import org.hirengine.verify.FieldException;
import org.jspecify.annotations.Nullable;

/** The responses that {@code hir evaluate} scores: JSON Lines, one response per line. */
final class ResponseFile {

  /**
   * A response with its constraints and the table it belongs to.
   *
   * @param row further fields, for the output file
   */
  record Row(String group, Instruction instruction, String response, ObjectNode row) {

    /** The table of all rows, where they are not divided. */
    static final String ALL = "all";
  }

  /** Takes each line. */
  private interface LineReader {
    void read(String group, Answers.Answer answer) throws IOException;
  }

  private final String file;
  private final String name;
  private final @Nullable String by;
  private final PrintWriter err;

  /**
   * @param file its name, or - for standard input
   * @param by the field that names a row's table; null puts all rows in one
   * @param err receives warnings
   */
  ResponseFile(String file, @Nullable String by, PrintWriter err) {
    this.file = file;
    this.name = InputFile.describe(file);
    this.by = by;
    this.err = err;
  }

  /**
   * Rows whose lines hold their own constraints.
   *
   * @param bench of constraints that name none
   */
  List<Row> read(@Nullable String bench) throws IOException {
    List<Row> rows = new ArrayList<>();
    eachLine(
        (group, answer) ->
            rows.add(
                new Row(group, ownInstruction(answer, bench), answer.response(), answer.row())));
    return rows;
  }

  /**
   * A row for each prompt and group: the response that answers it, or an empty one.
   *
   * @param data name of the file that the prompts come from, for messages
   * @param counts receives how many responses were left out, and prompts unanswered
   */
  List<Row> join(String data, List<Instruction> prompts, ObjectNode counts) throws IOException {
    Map<String, Answers> answers = new TreeMap<>();
    long read =
        eachLine(
            (group, answer) -> add(answers.computeIfAbsent(group, g -> new Answers()), answer));
    if (answers.values().stream().anyMatch(Answers::joinsByIds)) {
      requireOneOfEachId(data, prompts);
    }
    List<Row> rows = new ArrayList<>();
    answers.forEach((group, all) -> join(group, all, prompts, rows));
    tellWhatIsLeftOut(answers, data, prompts, read, counts);
    return rows;
  }

  private long eachLine(LineReader reader) throws IOException {
    long read = 0;
    try (InputStream in = InputFile.open(file)) {
      JsonLines lines = new JsonLines(in, name);
      for (JsonLines.Line line = lines.next(); line != null; line = lines.next()) {
        ObjectNode row = lines.parse(line);
        String response = text(row, "response", line.number());
        String group = by == null ? Row.ALL : text(row, by, line.number());
        reader.read(group, new Answers.Answer(row, response, line.number()));
        read++;
      }
    }
    if (read == 0) {
      throw new DataException(name, 0, null, "holds no rows", "give one response per line");
    }
    return read;
  }

  private String text(ObjectNode row, String field, long line) {
    JsonNode node = row.path(field);
    if (!node.isTextual()) {
      throw new DataException(
          name,
          line,
          field,
          node.isMissingNode() ? "is missing" : "is not a string",
          "write a string");
    }
    return node.asText();
  }

  /** The instruction that a line holds along with its response. */
  private Instruction ownInstruction(Answers.Answer answer, @Nullable String bench) {
    ObjectNode row = answer.row();
    ObjectNode asked = row;
    if (!row.has("question") && !row.has("messages") && !row.has("conversations")) {
      // The question is not needed where the line has its constraints.
      asked = row.deepCopy();
      asked.putIfAbsent("prompt", TextNode.valueOf(""));
    }
    Instruction x = InstructionJson.read(asked, name, answer.line(), bench);
    try {
      requireConstraints(x);
    } catch (FieldException e) {
      throw new DataException(name, answer.line(), e.field(), e.problem(), e.remedy());
    }
    if (x.bench() != null) {
      row.put("bench", x.bench());
    }
    return x;
  }

  /** Refuses an instruction without constraints. */
  static void requireConstraints(Instruction x) {
    if (x.constraints().isEmpty()) {
      throw new FieldException(
          "instruction_id_list",
          "is missing or empty",
          "give the constraints in the line, or the benchmark's file with --data");
    }
  }

  /** Files a response under what it answers: prompt, question or messages, or id. */
  private void add(Answers answers, Answers.Answer answer) {
    ObjectNode row = answer.row();
    if (row.path("prompt").isTextual()) {
      answers.addByPrompt(row.get("prompt").asText(), answer);
    } else if (row.has("question") || row.has("messages") || row.has("conversations")) {
      ObjectNode asked = row.deepCopy();
      asked.remove(List.of("instruction_id_list", "kwargs", "constraints"));
      answers.addByPrompt(
          InstructionJson.read(asked, name, answer.line(), null).promptText(), answer);
    } else {
      JsonNode id = row.has("id") ? row.get("id") : row.path("key");
      if (!id.isTextual() && !id.isNumber()) {
        throw new DataException(
            name,
            answer.line(),
            "prompt",
            "is missing, and so is id",
            "give each response the prompt that it answers, or its id in the data");
      }
      answers.addById(id.asText(), answer);
    }
  }

  private static void requireOneOfEachId(String data, List<Instruction> prompts) {
    Set<String> ids = new HashSet<>();
    for (Instruction x : prompts) {
      if (!ids.add(x.id())) {
        throw new DataException(
            data,
            0,
            "id",
            "'" + x.id() + "' occurs in more than one row, so responses cannot be joined by it",
            "give each response the prompt that it answers");
      }
    }
  }

  private static void join(
      String group, Answers answers, List<Instruction> prompts, List<Row> rows) {
    for (Instruction x : prompts) {
      Answers.Answer answer = answers.to(x);
      ObjectNode row = answer == null ? InstructionJson.write(x) : answer.row().deepCopy();
      if (answer == null) {
        row.put("response", "");
      } else {
        InstructionJson.write(x)
            .properties()
            .forEach(field -> row.putIfAbsent(field.getKey(), field.getValue()));
      }
      rows.add(new Row(group, x, answer == null ? "" : answer.response(), row));
    }
  }

  /** One line for each kind, with a count. */
  private void tellWhatIsLeftOut(
      Map<String, Answers> answers,
      String data,
      List<Instruction> prompts,
      long read,
      ObjectNode counts) {
    List<Answers.Answer> unasked = new ArrayList<>();
    int repeated = 0;
    long unanswered = (long) answers.size() * prompts.size();
    for (Answers all : answers.values()) {
      unasked.addAll(all.unasked());
      repeated += all.repeated();
      unanswered -= all.asked();
    }
    if (unasked.size() + repeated == read) {
      throw new DataException(
          name,
          0,
          null,
          "answers no prompt of " + data,
          "give the data that these responses answer");
    }
    if (!unasked.isEmpty()) {
      long first = unasked.stream().mapToLong(Answers.Answer::line).min().orElse(0);
      counts.put("not_asked_for", unasked.size());
      err.printf(
          "warning: %d responses answer no prompt of %s and are left out, the first in line %d%n",
          unasked.size(), data, first);
    }
    if (repeated > 0) {
      counts.put("answered_again", repeated);
      err.printf(
          "warning: %d responses are left out because a later line answers the same prompt%n",
          repeated);
    }
    if (unanswered > 0) {
      counts.put("not_answered", unanswered);
      err.printf("warning: %d prompts have no response and count as not followed%n", unanswered);
    }
    err.flush();
  }
}
