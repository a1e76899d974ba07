package org.hirengine.engine.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.hirengine.engine.config.DataSection.BadRows;
import org.hirengine.engine.config.VerifySection.NoVerdict;
import org.hirengine.replay.BadRow;
import org.hirengine.replay.Coverage;
import org.hirengine.replay.DataException;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.InstructionReader;
import org.hirengine.verify.FieldException;
import org.hirengine.verify.Verifiers;

/**
 * Instructions to train or evaluate on.
 *
 * @param read the instructions with their places, and lines that were skipped with reasons
 * @param coverage how much of the data can be checked
 */
public record TrainingData(InstructionReader.Result read, Coverage coverage) {

  /**
   * Reads a file.
   *
   * @throws DataException naming the first line that cannot be used, unless those are skipped, or
   *     an instruction without constraints; or saying why none can be checked
   */
  public static TrainingData read(
      Path file, BadRows badRows, Verifiers verifiers, NoVerdict noVerdict) throws IOException {
    InstructionReader reader = new InstructionReader().requiring(TrainingData::verifiable);
    return of(
        (badRows == BadRows.SKIP ? reader.skippingBad() : reader).read(file), verifiers, noVerdict);
  }

  /**
   * Instructions that are in memory already.
   *
   * @throws DataException naming an instruction without constraints, or saying why none can be
   *     checked
   */
  public static TrainingData of(
      List<Instruction> instructions, Verifiers verifiers, NoVerdict noVerdict) {
    instructions.forEach(
        instruction -> {
          try {
            verifiable(instruction);
          } catch (FieldException e) {
            throw new DataException(
                "instruction '" + instruction.id() + "'", 0, e.field(), e.problem(), e.remedy());
          }
        });
    return of(
        new InstructionReader.Result(
            "in memory",
            List.copyOf(instructions),
            LongStream.rangeClosed(1, instructions.size()).boxed().toList(),
            List.of(),
            new TreeMap<>(Map.of("in memory", instructions.size()))),
        verifiers,
        noVerdict);
  }

  /** Refuses data without anything to learn from: every response would be left out. */
  private static TrainingData of(
      InstructionReader.Result read, Verifiers verifiers, NoVerdict noVerdict) {
    Coverage coverage = Coverage.of(read, verifiers);
    int useful = noVerdict == NoVerdict.SKIP ? coverage.checkable() : coverage.partly();
    if (useful == 0 && !coverage.unchecked().isEmpty()) {
      throw new DataException(
          read.file(),
          0,
          null,
          "holds no row that can be checked: " + String.join("; ", coverage.warnings()),
          "correct the constraints; hir doctor --data names every one");
    }
    return new TrainingData(read, coverage);
  }

  /** The instructions, in the data's order. */
  public List<Instruction> instructions() {
    return read.instructions();
  }

  /** Lines that were skipped. */
  public List<BadRow> bad() {
    return read.bad();
  }

  /** Refuses instructions without constraints: every response to one would earn the full reward. */
  private static void verifiable(Instruction instruction) {
    if (instruction.constraints().isEmpty()) {
      throw new FieldException(
          "instruction_id_list",
          "is missing or empty",
          "give every instruction at least one constraint that can be verified");
    }
  }

  /** Writes skipped lines with their reasons; without any there is no file. */
  static void writeBad(Path file, List<BadRow> rows) throws IOException {
    if (rows.isEmpty()) {
      Files.deleteIfExists(file);
    } else {
      Files.write(file, rows.stream().map(BadRow::toJson).toList());
    }
  }
}
