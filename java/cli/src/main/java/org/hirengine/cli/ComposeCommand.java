package org.hirengine.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import org.hirengine.replay.Composer;
import org.hirengine.replay.DataException;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.InstructionJson;
import org.hirengine.replay.JsonLines;
import org.hirengine.replay.QType;
import org.hirengine.verify.Verifiers;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code hir compose}: training instructions from plain requests. */
@Command(
    name = "compose",
    mixinStandardHelpOptions = true,
    description = {
      "Makes training instructions from plain requests: adds compatible constraints, with random"
          + " parameters and the engine's own sentences.",
      "",
      "A seed is a JSON line with question, prompt or messages, or a line of plain text. The output"
          + " is what hir train reads; the same --seed gives the same file."
    },
    footer = {
      "",
      "Examples:",
      "  hir compose --seeds requests.txt --n 1000 --min 3 --max 6 --seed 1 --out train.jsonl",
      "  hir compose --seeds chats.jsonl --n 200 --bench ifeval --out train.jsonl"
    })
final class ComposeCommand implements Callable<Integer> {

  /** Draws for one instruction before giving up on its request. */
  private static final int DRAWS = 20;

  @Option(
      names = "--seeds",
      required = true,
      paramLabel = "FILE",
      description = "Plain requests; - is standard input.")
  private String seeds;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE",
      description = "Instructions to write; - is standard output.")
  private String out;

  @Option(
      names = "--n",
      required = true,
      paramLabel = "N",
      description = "How many instructions; seeds are used in turn.")
  private int n;

  @Option(names = "--min", paramLabel = "N", description = "Fewest constraints (default: 3).")
  private int min = 3;

  @Option(names = "--max", paramLabel = "N", description = "Most constraints (default: 6).")
  private int max = 6;

  @Option(names = "--seed", paramLabel = "N", description = "Seed of the draws (default: 0).")
  private long seed;

  @Option(
      names = "--bench",
      paramLabel = "NAME",
      description = "Benchmark whose types are drawn (default: iftrain, which includes IFEval's).")
  private String bench = "iftrain";

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Composer composer;
    try {
      composer = new Composer(Verifiers.standard(), bench, min, max);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()));
    }
    if (n < 1) {
      throw new ParameterException(spec.commandLine(), "--n " + n + ": give 1 or more");
    }
    List<Instruction> requests = requests();
    try (OutputFile file = new OutputFile(out)) {
      for (int i = 0; i < n; i++) {
        Instruction composed = compose(composer, requests.get(i % requests.size()), i);
        file.line(JsonLines.write(InstructionJson.write(composed)));
      }
      file.commit();
    }
    return 0;
  }

  private Instruction compose(Composer composer, Instruction request, int index) {
    SplittableRandom random = new SplittableRandom(seed + 0x9E3779B97F4A7C15L * (index + 1L));
    for (int draw = 0; draw < DRAWS; draw++) {
      Optional<Instruction> composed = composer.compose("compose-" + index, request, random);
      if (composed.isPresent()) {
        return composed.get();
      }
    }
    throw new Failure(
        min
            + " constraints of "
            + bench
            + " that fit together were not found in "
            + DRAWS
            + " draws",
        "ask for fewer with --min");
  }

  private List<Instruction> requests() throws IOException {
    String name = InputFile.describe(seeds);
    List<Instruction> requests = new ArrayList<>();
    try (InputStream in = InputFile.open(seeds)) {
      JsonLines lines = new JsonLines(in, name);
      for (JsonLines.Line line = lines.next(); line != null; line = lines.next()) {
        String text = line.text().strip();
        requests.add(
            text.startsWith("{")
                ? InstructionJson.read(lines.parse(line), name, line.number(), null)
                : Instruction.of(
                    Long.toString(line.number()), text, List.of(), QType.TYPE1, null, List.of()));
      }
    }
    if (requests.isEmpty()) {
      throw new DataException(name, 0, null, "holds no rows", "give one request per line");
    }
    return requests;
  }
}
