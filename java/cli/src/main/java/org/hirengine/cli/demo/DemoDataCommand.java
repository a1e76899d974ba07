package org.hirengine.cli.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;
import org.hirengine.cli.OutputFile;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.InstructionJson;
import org.hirengine.replay.JsonLines;
import org.hirengine.replay.QType;
import org.hirengine.replay.SentenceCatalogue;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.Verifiers;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code hir demo-data}: the embedded default's requests, warm-start pairs and empty policy. */
@Command(
    name = "demo-data",
    mixinStandardHelpOptions = true,
    description = {
      "Writes the demo's data, from a seed: the same seed, the same files.",
      "",
      "requests (the default): train.jsonl and eval.jsonl, instructions whose constraints can all"
          + " be satisfied. skill, weaken: pairs.jsonl, requests with responses for the two stages"
          + " of the warm start; in those of weaken most constraints are satisfied only by chance."
          + " policy: an untrained model folder (configuration, tokenizer, chat template), and"
          + " sentences.json, the wording of the constraints."
    },
    footer = {
      "",
      "Examples:",
      "  hir demo-data --seed 7 --out my-demo",
      "  hir demo-data --seed 7 --setting med --eval 2048 --out my-demo/med",
      "  hir demo-data --part skill --seed 8 --out my-demo/skill"
    })
public final class DemoDataCommand implements Callable<Integer> {

  /** What to write. */
  enum Part {
    REQUESTS,
    SKILL,
    WEAKEN,
    POLICY
  }

  /** How many constraints a request has. */
  enum Setting {
    EASY(1, 3),
    MED(2, 5),
    HARD(5, 7);

    private final int fewest;
    private final int most;

    Setting(int fewest, int most) {
      this.fewest = fewest;
      this.most = most;
    }
  }

  private static final int SKILL_PAIRS = 115_200;
  private static final int WEAKEN_PAIRS = 9_600;

  /** Chance included, about two constraints of five are satisfied. */
  private static final double WEAKEN_SHARE = 0.2;

  @Option(
      names = "--part",
      defaultValue = "requests",
      description = "requests, skill, weaken or policy; default ${DEFAULT-VALUE}.")
  private Part part;

  @Option(
      names = "--setting",
      defaultValue = "hard",
      description =
          "Constraints per request: hard has 5 to 7, med 2 to 5, easy 1 to 3; default"
              + " ${DEFAULT-VALUE}.")
  private Setting setting;

  @Option(names = "--seed", defaultValue = "0", description = "Default ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--train",
      defaultValue = "2048",
      description = "Training requests; default ${DEFAULT-VALUE}.")
  private int train;

  @Option(
      names = "--eval",
      defaultValue = "512",
      description = "Held-out requests; default ${DEFAULT-VALUE}.")
  private int eval;

  @Option(
      names = "--pairs",
      paramLabel = "N",
      description = "Pairs of skill or weaken; default 115200 and 9600.")
  private @Nullable Integer pairs;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "Folder to write to; created if missing.")
  private Path out;

  @Spec private CommandSpec spec;

  private final Verifiers verifiers = Verifiers.standard();
  private final World world = new World(verifiers);
  private final SentenceCatalogue sentences = new SentenceCatalogue(Sentences.templates());

  @Override
  public Integer call() throws IOException {
    Files.createDirectories(out);
    // Separate streams, so that the held-out requests do not depend on the number of training
    // requests.
    SplittableRandom root = new SplittableRandom(seed);
    SplittableRandom first = root.split();
    SplittableRandom second = root.split();
    switch (part) {
      case REQUESTS -> requests(first, second);
      case SKILL -> write("pairs", pairs(SKILL_PAIRS), first, (id, own) -> pair(id, 1, 7, 1, own));
      case WEAKEN ->
          write(
              "pairs", pairs(WEAKEN_PAIRS), first, (id, own) -> pair(id, 3, 7, WEAKEN_SHARE, own));
      case POLICY -> {
        PolicyFolder.write(out.resolve("policy"));
        sentences();
      }
    }
    return 0;
  }

  private int pairs(int standard) {
    return pairs == null ? standard : pairs;
  }

  /**
   * Draws the held-out requests first, so that none occurs in training. With few constraints, they
   * may repeat among themselves.
   */
  private void requests(SplittableRandom training, SplittableRandom heldOut) throws IOException {
    Set<String> known = new HashSet<>();
    write(
        "eval",
        eval,
        heldOut,
        (id, own) -> {
          Instruction x = request(id, own);
          known.add(x.promptText());
          return x;
        });
    write(
        "train",
        train,
        training,
        (id, own) -> {
          Instruction x = request(id, own);
          while (known.contains(x.promptText())) {
            x = request(id, own);
          }
          return x;
        });
  }

  private void write(
      String name,
      int count,
      SplittableRandom random,
      BiFunction<String, SplittableRandom, Instruction> draw)
      throws IOException {
    Path path = out.resolve(name + ".jsonl");
    try (OutputFile lines = new OutputFile(path.toString())) {
      for (int i = 0; i < count; i++) {
        Instruction x = draw.apply(name + "-" + seed + "-" + i, random.split());
        lines.line(JsonLines.write(InstructionJson.write(x)));
      }
      lines.commit();
    }
    spec.commandLine().getOut().printf(Locale.ROOT, "%s: %,d lines%n", path, count);
  }

  private Instruction request(String id, SplittableRandom random) {
    int constraints = random.nextInt(setting.fewest, setting.most + 1);
    return instruction(id, world.truePair(constraints, random), Map.of());
  }

  private Instruction pair(String id, int fewest, int most, double share, SplittableRandom random) {
    World.Pair pair = world.pair(random.nextInt(fewest, most + 1), share, random);
    return instruction(id, pair, Map.of("response", pair.response()));
  }

  private Instruction instruction(String id, World.Pair pair, Map<String, Object> extra) {
    List<String> criteria = new ArrayList<>();
    for (ConstraintSpec constraint : pair.constraints()) {
      ConstraintType type = verifiers.type(constraint.bench(), constraint.id()).orElseThrow();
      criteria.add(sentences.sentence(type, constraint.kwargs()));
    }
    return new Instruction(
        id,
        pair.question(),
        criteria,
        QType.TYPE1,
        World.BENCH,
        pair.constraints(),
        null,
        List.of(),
        Map.of(),
        extra);
  }

  private void sentences() throws IOException {
    Path path = out.resolve("sentences.json");
    Files.writeString(
        path,
        JsonLines.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(Sentences.templates())
            + "\n");
    spec.commandLine().getOut().printf(Locale.ROOT, "%s, %s%n", out.resolve("policy"), path);
  }
}
