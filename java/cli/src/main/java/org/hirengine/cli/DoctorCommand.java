package org.hirengine.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.hirengine.replay.Coverage;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.InstructionReader;
import org.hirengine.replay.JsonLines;
import org.hirengine.replay.Unchecked;
import org.hirengine.verify.Unread;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code hir doctor}: what this machine offers the engine, and what is missing. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description = {
      "Reports what was found (CPU, GPU, native libraries, memory, text data) and what is missing.",
      "",
      "Exit code 0 when training on the CPU can run, 1 when something it needs is missing.",
      "",
      "With --data it examines a data file instead: its rows by layout and source, how many"
          + " constraints have a verifier, a judge or neither, rows whose texts contain a model's"
          + " control tokens, and every row that cannot be read, every constraint that can never"
          + " get a verdict, and every row without constraints. Exit code 1 when there are any of"
          + " the last three; a missing judge is not a fault of the file."
    },
    footer = {
      "",
      "Examples:",
      "  hir doctor",
      "  hir doctor --json",
      "  hir doctor --data HIR_trainv1.jsonl"
    })
final class DoctorCommand implements Callable<Integer> {

  /** Only a model's tokenizer knows its control tokens, and no model is given here. */
  private static final Pattern CONTROL =
      Pattern.compile(
          "<\\|[A-Za-z][A-Za-z0-9_]{0,40}\\|>|</?s>|\\[/?INST\\]|<(start|end)_of_turn>");

  @Option(names = "--json", description = "Print the findings as JSON.")
  private boolean json;

  @Option(names = "--data", paramLabel = "FILE", description = "Examine this data file.")
  private @Nullable String data;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if (data != null) {
      return examine(Downloads.file(data, spec.commandLine().getErr()));
    }
    List<Finding> findings = Doctor.examine();
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      ArrayNode rows = JsonLines.MAPPER.createArrayNode();
      for (Finding finding : findings) {
        ObjectNode row = rows.addObject();
        row.put("what", finding.what());
        row.put("state", finding.state().name().toLowerCase(Locale.ROOT));
        row.put("found", finding.found());
        if (finding.remedy() != null) {
          row.put("remedy", finding.remedy());
        }
      }
      out.println(JsonLines.write(rows));
    } else {
      for (Finding finding : findings) {
        out.printf(
            Locale.ROOT,
            "%-8s %-18s %s%n",
            finding.state().name().toLowerCase(Locale.ROOT),
            finding.what(),
            finding.found());
        if (finding.remedy() != null) {
          out.printf(Locale.ROOT, "%-8s %-18s -> %s%n", "", "", finding.remedy());
        }
      }
    }
    out.flush();
    return findings.stream().anyMatch(f -> f.state() == Finding.State.MISSING) ? 1 : 0;
  }

  /** Ids of rows whose texts contain control tokens of common models. */
  private static List<String> controlTokens(List<Instruction> instructions) {
    return instructions.stream()
        .filter(i -> i.messages().stream().anyMatch(m -> CONTROL.matcher(m.content()).find()))
        .map(Instruction::id)
        .toList();
  }

  private int examine(Path file) throws IOException {
    InstructionReader.Result read = new InstructionReader().skippingBad().read(file);
    Coverage coverage = Coverage.of(read, new VerifierOptions().verifiers(Unread.NO_VERDICT));
    List<Unchecked> faults = coverage.unchecked().stream().filter(Unchecked::isOfTheData).toList();
    List<String> control = controlTokens(read.instructions());
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      ObjectNode report = JsonLines.MAPPER.valueToTree(coverage);
      ArrayNode bad = report.putArray("bad_rows");
      read.bad().forEach(row -> bad.add(row.reason().getMessage()));
      report.put("control_tokens", control.size());
      out.println(JsonLines.write(report));
    } else {
      coverage.lines().forEach(out::println);
      if (!control.isEmpty()) {
        out.println(
            "control tokens: "
                + control.size()
                + " rows contain text that reads as one, first row "
                + control.get(0)
                + " (data.control_tokens: split makes them plain text)");
      }
      read.bad()
          .forEach(
              row ->
                  out.println("bad: " + row.reason().getMessage() + "; " + row.reason().remedy()));
      faults.forEach(fault -> out.println("no verdict: " + fault.describe()));
      coverage
          .bare()
          .forEach(
              place ->
                  out.println(
                      "no constraints: "
                          + place
                          + ": neither 'instruction_id_list' nor 'constraints' nor 'ground_truth'"
                          + " holds any"));
    }
    out.flush();
    return read.bad().isEmpty() && faults.isEmpty() && coverage.bare().isEmpty() ? 0 : 1;
  }
}
