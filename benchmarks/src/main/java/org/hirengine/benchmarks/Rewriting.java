package org.hirengine.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.hirengine.engine.runs.RolloutDump;
import org.hirengine.engine.runs.RolloutRow;
import org.hirengine.replay.AchievedRewriter;
import org.hirengine.replay.Flaw;
import org.hirengine.replay.Floor;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.InstructionReader;
import org.hirengine.replay.ObservedParameters;
import org.hirengine.replay.Rewrite;
import org.hirengine.replay.Rewriter;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verifiers;

/**
 * What share of violated constraints can be relabelled or else swapped, by type: of all failed
 * responses without a floor, and of those above the floor with it. Each violated constraint is
 * rewritten alone, so that others of its instruction neither help nor clash.
 *
 * <p>Arguments: training instructions, whose parameters swapped constraints take; then files of
 * responses as {@code hir evaluate --out} writes them, or rollout dumps, where the other responses
 * to a prompt are known and goals are the hardest of several.
 */
public final class Rewriting {

  private static final List<Floor> FLOORS = List.of(Floor.NONE, Floor.TOPIC);

  /** A response to an instruction, and the others. */
  private record Pair(Instruction x, Response y, List<Response> peers) {}

  /** How the violated constraints of a type came back. */
  private static final class Counts {
    final Map<Floor, Integer> violated = new EnumMap<>(Floor.class);
    final Map<Floor, Integer> relabelled = new EnumMap<>(Floor.class);
    final Map<Floor, Integer> swapped = new EnumMap<>(Floor.class);
    final Map<Floor, Integer> swappedIn = new EnumMap<>(Floor.class);

    void add(Counts other) {
      for (Floor floor : FLOORS) {
        violated.merge(floor, other.violated.getOrDefault(floor, 0), Integer::sum);
        relabelled.merge(floor, other.relabelled.getOrDefault(floor, 0), Integer::sum);
        swapped.merge(floor, other.swapped.getOrDefault(floor, 0), Integer::sum);
        swappedIn.merge(floor, other.swappedIn.getOrDefault(floor, 0), Integer::sum);
      }
    }

    /** Violated, relabelled and swapped in percent of them, swapped in. */
    String cells(Floor floor) {
      int of = violated.getOrDefault(floor, 0);
      return of
          + " | "
          + percent(relabelled.getOrDefault(floor, 0), of)
          + " | "
          + percent(swapped.getOrDefault(floor, 0), of)
          + " | "
          + swappedIn.getOrDefault(floor, 0);
    }

    private static String percent(int part, int of) {
      return of == 0 ? "-" : String.format(Locale.ROOT, "%.0f", 100.0 * part / of);
    }
  }

  private final Verifiers verifiers = Verifiers.standard();
  private final Map<Floor, Rewriter> rewriters = new EnumMap<>(Floor.class);
  private final Map<String, Counts> byType = new TreeMap<>();
  private final Map<Flaw, Integer> flaws = new EnumMap<>(Flaw.class);
  private int pairs;

  private Rewriting(List<Instruction> train) {
    for (Floor floor : FLOORS) {
      rewriters.put(
          floor,
          new AchievedRewriter(
              verifiers, ConstraintType::sentence, new ObservedParameters(train), Set.of(), floor));
    }
  }

  /** Prints two Markdown tables. */
  public static void main(String[] arguments) throws IOException {
    if (arguments.length < 2) {
      System.err.println("give TRAIN.jsonl, then files of responses or rollout dumps");
      System.exit(2);
    }
    Rewriting rewriting =
        new Rewriting(new InstructionReader().read(Path.of(arguments[0])).instructions());
    for (int i = 1; i < arguments.length; i++) {
      pairs(Path.of(arguments[i])).forEach(rewriting::add);
    }
    rewriting.print();
  }

  private static List<Pair> pairs(Path file) throws IOException {
    return RolloutDump.stepOf(file).isPresent() ? dumped(file) : answered(file);
  }

  private static List<Pair> answered(Path file) throws IOException {
    List<Pair> pairs = new ArrayList<>();
    for (Instruction x : new InstructionReader().read(file).instructions()) {
      if (!(x.extra().get("response") instanceof String response)) {
        throw new IllegalArgumentException(file + ": row " + x.id() + " has no response");
      }
      pairs.add(new Pair(x, Response.of(response), List.of()));
    }
    return pairs;
  }

  /** The responses that may be replayed: sampled ones that were not truncated. */
  private static List<Pair> dumped(Path file) {
    Map<String, List<RolloutRow>> byPrompt = new LinkedHashMap<>();
    RolloutDump.forEach(
        file,
        row -> {
          if (row.replay() == null) {
            byPrompt.computeIfAbsent(row.promptId(), id -> new ArrayList<>()).add(row);
          }
        });
    List<Pair> pairs = new ArrayList<>();
    for (List<RolloutRow> rows : byPrompt.values()) {
      for (RolloutRow row : rows) {
        if (row.finishReason().equals("stop")) {
          List<Response> peers =
              rows.stream().filter(r -> r != row).map(r -> Response.of(r.response())).toList();
          pairs.add(new Pair(row.instruction(), Response.of(row.response()), peers));
        }
      }
    }
    return pairs;
  }

  private void add(Pair pair) {
    JudgeList judges = verifiers.judge(pair.x.constraints(), pair.y);
    if (judges.ila() || !judges.decided() || pair.y.isBlank()) {
      return;
    }
    pairs++;
    Flaw.of(pair.x.question(), pair.y).ifPresent(flaw -> flaws.merge(flaw, 1, Integer::sum));
    for (int i = 0; i < judges.size(); i++) {
      if (!judges.satisfied(i)) {
        rewrite(pair, pair.x.constraints().get(i));
      }
    }
  }

  private void rewrite(Pair pair, ConstraintSpec violated) {
    ConstraintType type = verifiers.type(violated.bench(), violated.id()).orElseThrow();
    Instruction x = pair.x.with(List.of(type.sentence(violated.kwargs())), List.of(violated));
    JudgeList judges = verifiers.judge(x.constraints(), pair.y);
    Counts counts = byType.computeIfAbsent(violated.id(), id -> new Counts());
    rewriters.forEach(
        (floor, rewriter) -> {
          if (!floor.admits(x.question(), pair.y)) {
            return;
          }
          counts.violated.merge(floor, 1, Integer::sum);
          SplittableRandom random = new SplittableRandom(pairs);
          if (rewriter.rewrite(x, pair.y, judges, pair.peers, random)
              instanceof Rewrite.Rewritten done) {
            Map<Floor, Integer> how = done.relabelled() > 0 ? counts.relabelled : counts.swapped;
            how.merge(floor, 1, Integer::sum);
            if (done.swapped() > 0) {
              byType
                  .computeIfAbsent(done.instruction().constraints().get(0).id(), id -> new Counts())
                  .swappedIn
                  .merge(floor, 1, Integer::sum);
            }
          }
        });
  }

  private void print() {
    System.out.printf(
        Locale.ROOT, "%d failed responses, below the floor `topic`: %s%n%n", pairs, flaws);
    System.out.println(
        "| type | violated | relabelled % | swapped % | swapped in | violated above the floor |"
            + " relabelled % | swapped % | swapped in |");
    System.out.println("|---|---|---|---|---|---|---|---|---|");
    Counts all = new Counts();
    byType.forEach(
        (id, counts) -> {
          all.add(counts);
          row("`" + id + "`", counts);
        });
    row("all", all);
  }

  private static void row(String name, Counts counts) {
    System.out.printf(
        "| %s | %s | %s |%n", name, counts.cells(Floor.NONE), counts.cells(Floor.TOPIC));
  }
}
