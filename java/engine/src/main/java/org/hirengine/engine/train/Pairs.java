package org.hirengine.engine.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.hirengine.engine.config.DataSection.BadRows;
import org.hirengine.engine.config.SftConfig;
import org.hirengine.engine.experience.TrainingRow;
import org.hirengine.engine.tokens.PromptEncoder;
import org.hirengine.replay.BadRow;
import org.hirengine.replay.DataException;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.InstructionReader;
import org.hirengine.verify.FieldException;

/**
 * Pairs for supervised learning: instructions of the engine's JSONL with a {@code response} or a
 * {@code completion} each, or {@code messages} that end with the assistant's turn.
 *
 * @param rows a row per pair that fits, in the file's order; advantage 1 on every response token
 * @param tooLong pairs left out because they exceed the token limit
 * @param controlTokens pairs whose texts contain a control token of the model
 * @param bad lines that were skipped, with reasons
 */
record Pairs(List<TrainingRow> rows, int tooLong, int controlTokens, List<BadRow> bad) {

  /**
   * Reads and tokenises a file.
   *
   * @param stopId appended to every response, so that the model learns to end it
   * @throws DataException naming file and line of the first pair that cannot be used, unless those
   *     are skipped, or when none fits
   */
  static Pairs read(SftConfig config, PromptEncoder prompts, int stopId) throws IOException {
    Path file = config.data().path();
    int maxTokens = config.maxTokens();
    InstructionReader reader =
        new InstructionReader().rewriting(Pairs::withResponse).requiring(Pairs::response);
    InstructionReader.Result result =
        (config.badRows() == BadRows.SKIP ? reader.skippingBad() : reader).read(file);
    List<TrainingRow> rows = new ArrayList<>();
    int tooLong = 0;
    int controlTokens = 0;
    for (Instruction instruction : result.instructions()) {
      if (prompts.holdsControlTokens(instruction)
          || prompts.holdsControlTokens(response(instruction))) {
        controlTokens++;
      }
      int[] prompt = prompts.encode(instruction);
      int[] body = prompts.encodeText(response(instruction));
      int[] response = Arrays.copyOf(body, body.length + 1);
      response[body.length] = stopId;
      if (prompt.length + response.length > maxTokens) {
        tooLong++;
        continue;
      }
      float[] advantages = new float[response.length];
      Arrays.fill(advantages, 1);
      rows.add(new TrainingRow(prompt, response, null, null, advantages, false));
    }
    if (rows.isEmpty()) {
      throw new DataException(
          file.toString(),
          0,
          null,
          "holds no pair of at most " + maxTokens + " tokens",
          "raise max_tokens");
    }
    return new Pairs(rows, tooLong, controlTokens, result.bad());
  }

  /** The row in the engine's own layout: its {@code response} is the text to train on. */
  private static ObjectNode withResponse(ObjectNode row) {
    if (row.hasNonNull("response")) {
      return row;
    }
    if (row.hasNonNull("completion")) {
      JsonNode completion = row.get("completion");
      JsonNode response =
          completion.isArray() && completion.size() == 1
              ? assistantText(completion.get(0), "completion")
              : completion;
      if (!response.isTextual()) {
        throw new FieldException(
            "completion",
            "is neither a text nor one turn of the assistant",
            "write the text to learn, or [{\"role\": \"assistant\", \"content\": ...}]");
      }
      return without(row, "completion").set("response", response);
    }
    JsonNode turns = row.path("messages");
    JsonNode last = turns.path(turns.size() - 1);
    // With a prompt, the messages are the turns before it.
    boolean whole = !row.hasNonNull("prompt") && !row.hasNonNull("question");
    if (!whole || !last.path("role").asText().equals("assistant")) {
      return row;
    }
    ObjectNode pair = without(row, "messages").set("response", assistantText(last, "messages"));
    ArrayNode before = pair.putArray("messages");
    for (int i = 0; i < turns.size() - 1; i++) {
      before.add(turns.get(i));
    }
    return pair;
  }

  private static JsonNode assistantText(JsonNode turn, String field) {
    if (turn.path("role").asText().equals("assistant") && turn.path("content").isTextual()) {
      return turn.get("content");
    }
    throw new FieldException(
        field,
        "ends with a turn that is no text of the assistant",
        "end with {\"role\": \"assistant\", \"content\": ...}, which is what is learnt");
  }

  private static ObjectNode without(ObjectNode row, String field) {
    ObjectNode copy = row.objectNode().setAll(row);
    copy.remove(field);
    return copy;
  }

  private static String response(Instruction instruction) {
    Object response = instruction.extra().get("response");
    if (response instanceof String text) {
      return text;
    }
    throw new FieldException(
        "response",
        response == null ? "is missing" : "is not a string",
        "give every pair the response to learn, as 'response', as 'completion', or as the"
            + " assistant's turn at the end of 'messages'");
  }
}
