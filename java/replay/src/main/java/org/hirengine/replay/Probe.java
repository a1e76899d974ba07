package org.hirengine.replay;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.hirengine.verify.FieldException;
import org.hirengine.verify.Response;

/**
 * A trip wire for policies that satisfy constraints by saying nothing: a request with one right
 * answer, under constraints that need no answer. "Name the capital of France. Do not use any
 * commas." is satisfied by "***", and answered only by a text that says Paris.
 *
 * @param instruction what the policy is asked
 * @param answer occurs in every right answer
 */
public record Probe(Instruction instruction, Pattern answer) {

  private static final String FIELD = "answer";

  /**
   * Reads a file of instructions with a further field {@code answer}: the words that answer the
   * request, in any case, or a list of such alternatives.
   *
   * @throws DataException naming the line and the field at fault
   */
  public static List<Probe> read(Path file) throws IOException {
    InstructionReader.Result read = new InstructionReader().requiring(Probe::of).read(file);
    return read.instructions().stream().map(Probe::of).toList();
  }

  private static Probe of(Instruction instruction) {
    Object field = instruction.extra().get(FIELD);
    List<?> answers =
        field instanceof List<?> several ? several : field == null ? List.of() : List.of(field);
    if (answers.isEmpty() || !answers.stream().allMatch(Probe::isText)) {
      throw new FieldException(
          FIELD,
          field == null ? "is missing" : "is not text",
          "give the word that answers the request, or a list of alternatives");
    }
    if (instruction.constraints().isEmpty()) {
      throw new FieldException(
          "instruction_id_list", "is missing or empty", "give every probe a constraint");
    }
    String alternatives =
        answers.stream().map(a -> Pattern.quote(a.toString())).collect(Collectors.joining("|"));
    return new Probe(
        instruction,
        Pattern.compile(
            "(?<![\\p{L}\\p{Nd}])(" + alternatives + ")(?![\\p{L}\\p{Nd}])",
            Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE));
  }

  private static boolean isText(Object answer) {
    return answer instanceof String text && !text.isBlank();
  }

  /** Whether {@code response} answers the request: in prose, with the right words. */
  public boolean answered(Response response) {
    return Floor.PROSE.admits(instruction.question(), response)
        && answer.matcher(response.text()).find();
  }
}
