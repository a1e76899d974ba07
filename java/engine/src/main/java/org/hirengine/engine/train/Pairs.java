package org.hirengine.engine.train;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.hirengine.engine.config.SftConfig;
import org.hirengine.engine.config.TrainConfig.BadRows;
import org.hirengine.engine.tokens.PromptEncoder;
import org.hirengine.engine.tokens.Tokenizer;
import org.hirengine.replay.BadRow;
import org.hirengine.replay.DataException;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.InstructionReader;
import org.hirengine.verify.FieldException;

/**
 * Pairs for supervised learning: instructions of the engine's JSONL with a {@code response} each.
 *
 * @param rows a row per pair that fits, in the file's order; advantage 1 on every response token
 * @param tooLong pairs left out because they exceed the token limit
 * @param bad lines that were skipped, with reasons
 */
record Pairs(List<TrainingRow> rows, int tooLong, List<BadRow> bad) {

  /**
   * Reads and tokenises a file.
   *
   * @param stopId appended to every response, so that the model learns to end it
   * @throws DataException naming file and line of the first pair that cannot be used, unless those
   *     are skipped, or when none fits
   */
  static Pairs read(SftConfig config, PromptEncoder prompts, Tokenizer tokenizer, int stopId)
      throws IOException {
    Path file = config.data().path();
    int maxTokens = config.maxTokens();
    InstructionReader reader = new InstructionReader().requiring(Pairs::response);
    InstructionReader.Result result =
        (config.badRows() == BadRows.SKIP ? reader.skippingBad() : reader).read(file);
    List<TrainingRow> rows = new ArrayList<>();
    int tooLong = 0;
    for (Instruction instruction : result.instructions()) {
      int[] prompt = prompts.encode(instruction);
      int[] body = tokenizer.encode(response(instruction));
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
    return new Pairs(rows, tooLong, result.bad());
  }

  private static String response(Instruction instruction) {
    Object response = instruction.extra().get("response");
    if (response instanceof String text) {
      return text;
    }
    throw new FieldException(
        "response",
        response == null ? "is missing" : "is not a string",
        "give every pair the response to learn");
  }
}
