package org.hirengine.replay;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.FieldException;
import org.jspecify.annotations.Nullable;

/**
 * Reads instructions from data files of any supported kind, recognised by their content: JSON
 * Lines, a JSON array or what a {@link DataRowsProvider} adds, with rows of the engine's own layout
 * ({@link InstructionJson}), HIR-16K, open-instruct, the input files of IFEval and IFBench,
 * MulDimIF, or verl.
 *
 * <p>By default the first bad row ends the reading with a {@link DataException}; with {@link
 * #skippingBad} bad rows are collected with their reasons and the rest is used. A data set without
 * one good row is an error either way.
 */
public final class InstructionReader {

  /** Fields that name a row's origin. */
  private static final List<String> SOURCES = List.of("source", "dataset");

  private final UnaryOperator<ObjectNode> rewriting;
  private final @Nullable String defaultBench;
  private final Consumer<ConstraintSpec> check;
  private final Consumer<Instruction> requirement;
  private final boolean skipBad;

  /**
   * A reader that demands a {@code bench} in rows with constraints and accepts any constraint;
   * {@link Coverage} says which of them can be checked.
   */
  public InstructionReader() {
    this(UnaryOperator.identity(), null, spec -> {}, instruction -> {}, false);
  }

  private InstructionReader(
      UnaryOperator<ObjectNode> rewriting,
      @Nullable String defaultBench,
      Consumer<ConstraintSpec> check,
      Consumer<Instruction> requirement,
      boolean skipBad) {
    this.rewriting = rewriting;
    this.defaultBench = defaultBench;
    this.check = check;
    this.requirement = requirement;
    this.skipBad = skipBad;
  }

  /** Rows that name no benchmark follow the rules of {@code bench}. */
  public InstructionReader withDefaultBench(String bench) {
    return new InstructionReader(rewriting, bench, check, requirement, skipBad);
  }

  /**
   * Every constraint is shown to {@code check}, which throws IllegalArgumentException if it is
   * unknown or its kwargs are wrong, as {@code verifiers::parse} does; the row is then bad.
   */
  public InstructionReader checking(Consumer<ConstraintSpec> newCheck) {
    return new InstructionReader(rewriting, defaultBench, newCheck, requirement, skipBad);
  }

  /**
   * Every instruction is shown to {@code newRequirement}, which throws {@link FieldException} if
   * its row lacks what the caller needs.
   */
  public InstructionReader requiring(Consumer<Instruction> newRequirement) {
    return new InstructionReader(rewriting, defaultBench, check, newRequirement, skipBad);
  }

  /**
   * Every row passes through {@code newRewriting} first, for custom layouts; it throws {@link
   * FieldException} if a row does not have one.
   */
  public InstructionReader rewriting(UnaryOperator<ObjectNode> newRewriting) {
    return new InstructionReader(newRewriting, defaultBench, check, requirement, skipBad);
  }

  /** Bad rows are set aside instead of ending the reading. */
  public InstructionReader skippingBad() {
    return new InstructionReader(rewriting, defaultBench, check, requirement, true);
  }

  /**
   * The rows that were read.
   *
   * @param file its name in errors
   * @param instructions the good rows in the file's order, at least one
   * @param lines their lines, or rows of an array or a table, from 1
   * @param bad the rows set aside
   * @param rows number of good rows by layout and source, such as {@code "hir-16k type1"}
   */
  public record Result(
      String file,
      List<Instruction> instructions,
      List<Long> lines,
      List<BadRow> bad,
      SortedMap<String, Integer> rows) {

    /** The place of a good row: file and line. */
    public String place(int index) {
      return file + ":" + lines.get(index);
    }
  }

  /**
   * Reads a whole file.
   *
   * @throws DataException naming file, line, field and remedy
   */
  public Result read(Path file) throws IOException {
    boolean pipe = Files.exists(file) && !Files.isRegularFile(file) && !Files.isDirectory(file);
    // a stream of Files.newInputStream asks for its position, which a pipe does not have
    try (InputStream in = pipe ? new FileInputStream(file.toFile()) : Files.newInputStream(file);
        DataRows rows = DataFile.open(in, pipe ? null : file, file.toString())) {
      return read(rows, file.toString());
    } catch (NoSuchFileException e) {
      throw new DataException(
          file.toString(), 0, null, "no such file", "check the path of the data file");
    }
  }

  /**
   * Reads a whole stream, which the caller closes.
   *
   * @param name what errors call it
   * @throws DataException naming file, line, field and remedy
   */
  public Result read(InputStream in, String name) throws IOException {
    try (DataRows rows = DataFile.open(in, null, name)) {
      return read(rows, name);
    }
  }

  private Result read(DataRows rows, String name) throws IOException {
    List<Instruction> instructions = new ArrayList<>();
    List<Long> lines = new ArrayList<>();
    List<BadRow> bad = new ArrayList<>();
    SortedMap<String, Integer> counts = new TreeMap<>();
    for (DataRow row = rows.next(); row != null; row = rows.next()) {
      try {
        ObjectNode object = rewritten(row.parse(), name, row.number());
        RowFormat format = RowFormat.of(object);
        Instruction instruction = instruction(format, object, name, row.number());
        instructions.add(instruction);
        lines.add(row.number());
        counts.merge(format.label() + source(instruction), 1, Integer::sum);
      } catch (DataException e) {
        if (!skipBad) {
          throw e;
        }
        bad.add(new BadRow(name, row.number(), row.text(), e));
      }
    }
    if (instructions.isEmpty()) {
      throw new DataException(
          name,
          0,
          null,
          bad.isEmpty()
              ? "holds no rows"
              : "holds no good row; the first: " + bad.get(0).reason().getMessage(),
          bad.isEmpty()
              ? "give at least one instruction, such as one JSON object per line"
              : bad.get(0).reason().remedy());
    }
    return new Result(
        name,
        List.copyOf(instructions),
        List.copyOf(lines),
        List.copyOf(bad),
        Collections.unmodifiableSortedMap(counts));
  }

  /** The source that the row names, with a space before it; or nothing. */
  private static String source(Instruction instruction) {
    for (String field : SOURCES) {
      Object value = instruction.extra().get(field);
      if (value instanceof List<?> names && !names.isEmpty()) {
        return " " + names.stream().map(String::valueOf).collect(Collectors.joining("+"));
      }
      if (value instanceof String source && !source.isBlank()) {
        return " " + source;
      }
    }
    return "";
  }

  private ObjectNode rewritten(ObjectNode row, String name, long number) {
    try {
      return rewriting.apply(row);
    } catch (FieldException e) {
      throw new DataException(name, number, e.field(), e.problem(), e.remedy());
    }
  }

  private Instruction instruction(RowFormat format, ObjectNode row, String name, long number) {
    ObjectNode own;
    try {
      own = format.normalize(row);
    } catch (FieldException e) {
      throw new DataException(name, number, e.field(), e.problem(), e.remedy());
    }
    Instruction instruction = InstructionJson.read(own, name, number, defaultBench);
    List<ConstraintSpec> constraints = instruction.constraints();
    for (int i = 0; i < constraints.size(); i++) {
      try {
        check.accept(constraints.get(i));
      } catch (IllegalArgumentException e) {
        throw new DataException(
            name,
            number,
            "constraint " + (i + 1) + " (" + constraints.get(i).id() + ")",
            String.valueOf(e.getMessage()),
            "correct the row, or leave it out");
      }
    }
    try {
      requirement.accept(instruction);
    } catch (FieldException e) {
      throw new DataException(name, number, e.field(), e.problem(), e.remedy());
    }
    return instruction;
  }
}
