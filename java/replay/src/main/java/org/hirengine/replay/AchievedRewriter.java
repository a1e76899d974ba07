package org.hirengine.replay;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verifiers;
import org.jspecify.annotations.Nullable;

/**
 * Achieved-goal rewriting: the violated constraints become goals that the response did achieve, as
 * in hindsight experience replay, so that x' keeps the length and the kind of x.
 *
 * <ol>
 *   <li>A violated constraint keeps its type and gets the nearest parameters that the response
 *       satisfies ({@link ConstraintType#achieved}), else parameters drawn as training draws them,
 *       if the response satisfies them.
 *   <li>If there are none (binary types), it is swapped for a random other type of the same
 *       benchmark that the response satisfies and that clashes with no constraint.
 *   <li>If there is no such type either, if the constraint is judged by a model instead of a rule,
 *       or if its type is to be dropped, it is dropped.
 * </ol>
 *
 * <p>Most constraints that a response satisfies are satisfied by any response: "avoid lantern"
 * teaches nothing if no response mentions lanterns. So if other responses to the instruction are
 * known, several goals are tried, and the one that most of them fail is taken.
 *
 * <p>A goal taken from a response may be one that nobody would set: a word that a confused answer
 * happens to use, its last words, a number that every answer reaches. {@link Floor} decides which
 * are refused.
 *
 * <p>Every new constraint is confirmed by its verifier on the response; if a relabelled one is not
 * confirmed, the pair is not replayed. Satisfied constraints keep their sentences.
 */
public final class AchievedRewriter implements Rewriter {

  /** Draws the parameters of a replacement constraint, within training's ranges. */
  @FunctionalInterface
  public interface Parameters {

    /** kwargs for a new constraint of {@code type} in {@code instruction}, or empty for none. */
    Optional<Map<String, Object>> sample(
        ConstraintType type, Instruction instruction, RandomGenerator random);
  }

  /**
   * How many parameters to draw, from the response and from training's ranges, to find a hard one.
   */
  private static final int DRAWS = 4;

  /**
   * Draws until there is one at all: of a training set's sentences few hold, and a floor turns down
   * most of what is read off a response.
   */
  private static final int MOST_DRAWS = 64;

  /** Of so many other responses one at least must fail a goal, where there is a floor. */
  private static final int LEAST_FAILING = 4;

  private final Verifiers verifiers;
  private final Phrasing phrasing;
  private final Parameters parameters;
  private final Set<String> dropped;
  private final Floor floor;

  /** With the constraint types' own words and parameters. */
  public AchievedRewriter(Verifiers verifiers) {
    this(
        verifiers,
        ConstraintType::sentence,
        (type, x, random) -> type.sample(random, x.question()),
        Set.of(),
        Floor.NONE);
  }

  /**
   * With the training data's words and parameters.
   *
   * @param phrasing puts new constraints into words
   * @param parameters draws the parameters of constraints that are swapped in
   * @param dropped ids of constraints that are dropped when violated, and never swapped in: those
   *     whose sentences in the training data cannot be matched, for instance
   * @param floor which goals may be asked
   */
  public AchievedRewriter(
      Verifiers verifiers,
      Phrasing phrasing,
      Parameters parameters,
      Set<String> dropped,
      Floor floor) {
    this.verifiers = verifiers;
    this.phrasing = phrasing;
    this.parameters = parameters;
    this.dropped = Set.copyOf(dropped);
    this.floor = floor;
  }

  @Override
  public Rewrite rewrite(
      Instruction instruction,
      Response response,
      JudgeList judges,
      List<Response> peers,
      RandomGenerator random) {
    Rewrite.Skipped unfit = Rewrites.unfit(instruction, judges);
    if (unfit != null) {
      return unfit;
    }
    if (instruction.constraints().isEmpty()) {
      return new Rewrite.Skipped(
          Rewrite.Reason.NO_CONSTRAINTS, "instruction " + instruction.id() + " has sentences only");
    }
    if (response.text().isBlank()) {
      return new Rewrite.Skipped(Rewrite.Reason.EMPTY_RESPONSE, "the response is blank");
    }
    return new Pair(instruction, response, peers, random).rewrite(judges);
  }

  /** One pair under rewriting. */
  private final class Pair {

    private final Instruction x;
    private final Response y;
    private final List<Response> peers;
    private final RandomGenerator random;

    /** Ids that x asks for or x' already does. */
    private final Set<String> asked = new HashSet<>();

    /** Ids that clash with a constraint of x'. */
    private final Set<String> clashing = new HashSet<>();

    private @Nullable Topic topic;

    /** An achieved constraint that its own verifier denies; normally null. */
    private @Nullable ConstraintSpec denied;

    Pair(Instruction x, Response y, List<Response> peers, RandomGenerator random) {
      this.x = x;
      this.y = y;
      this.peers = peers;
      this.random = random;
    }

    Rewrite rewrite(JudgeList judges) {
      int n = judges.size();
      @Nullable ConstraintSpec[] chosen = new ConstraintSpec[n];
      int relabelled = 0;
      for (int i = 0; i < n; i++) {
        ConstraintSpec spec = x.constraints().get(i);
        asked.add(spec.id());
        chosen[i] = judges.satisfied(i) ? spec : relabel(spec);
        if (denied != null) {
          return new Rewrite.Skipped(
              Rewrite.Reason.NOT_CONFIRMED, denied.id() + " " + denied.kwargs());
        }
        if (chosen[i] != null) {
          relabelled += judges.satisfied(i) ? 0 : 1;
          choose(chosen[i]);
        }
      }
      int swapped = 0;
      for (int i = 0; i < n; i++) {
        ConstraintSpec spec = x.constraints().get(i);
        if (chosen[i] == null && type(spec).isPresent()) {
          chosen[i] = swap(spec.bench());
          if (chosen[i] != null) {
            choose(chosen[i]);
            swapped++;
          }
        }
      }
      List<String> criteria = new ArrayList<>(n);
      List<ConstraintSpec> constraints = new ArrayList<>(n);
      for (int i = 0; i < n; i++) {
        ConstraintSpec spec = chosen[i];
        if (spec != null) {
          criteria.add(judges.satisfied(i) ? x.criteria().get(i) : sentence(spec));
          constraints.add(spec);
        }
      }
      if (criteria.isEmpty()) {
        return new Rewrite.Skipped(
            Rewrite.Reason.NOTHING_SATISFIED, "no constraint of any type could be confirmed");
      }
      return new Rewrite.Rewritten(
          x.with(criteria, constraints), relabelled, swapped, n - criteria.size());
    }

    /** The type of a constraint that may be relabelled; empty if it is dropped. */
    private Optional<ConstraintType> type(ConstraintSpec spec) {
      return dropped.contains(spec.id())
          ? Optional.empty()
          : verifiers.type(spec.bench(), spec.id());
    }

    /**
     * The same type with parameters that y satisfies: derived from y, else drawn as in training;
     * with peers, the hardest of several of both. Null if none was found.
     */
    private @Nullable ConstraintSpec relabel(ConstraintSpec spec) {
      ConstraintType type = type(spec).orElse(null);
      if (type == null) {
        return null;
      }
      List<ConstraintSpec> held = new ArrayList<>();
      for (int draw = 0; draw < draws(spec, held.isEmpty()); draw++) {
        Optional<ConstraintSpec> achieved =
            verifiers.achieved(type, y, spec.kwargs(), random).map(kwargs -> with(spec, kwargs));
        if (achieved.isPresent() && !confirmed(achieved.get())) {
          denied = achieved.get();
          return null;
        }
        achieved.filter(goal -> admits(goal, spec.kwargs())).ifPresent(held::add);
        if (held.isEmpty() || !peers.isEmpty()) {
          parameters
              .sample(type, x, random)
              .map(kwargs -> with(spec, kwargs))
              .filter(this::confirmed)
              .filter(goal -> admits(goal, goal.kwargs()))
              .ifPresent(held::add);
        }
      }
      return hardest(held);
    }

    /** What the request and the other responses are about. */
    private Topic about() {
      if (topic == null) {
        topic = Topic.of(x.question());
        for (Response peer : peers) {
          topic = topic.and(Topic.of(peer.text()));
        }
      }
      return topic;
    }

    /** What nearly every response achieves, such as to be in English, tells nothing of this one. */
    private boolean tellsApart(ConstraintSpec goal) {
      long failed = peers.stream().filter(peer -> !satisfies(peer, goal)).count();
      return LEAST_FAILING * failed >= peers.size();
    }

    /** How many draws a constraint is worth, by whether any was good so far. */
    private int draws(ConstraintSpec spec, boolean none) {
      if (spec.kwargs().isEmpty()) {
        return 1; // the next would be the same
      }
      if (none) {
        return MOST_DRAWS;
      }
      return peers.isEmpty() ? 1 : DRAWS;
    }

    /**
     * Whether the floor lets a goal be asked.
     *
     * @param from the parameters that it was made from, whose words were asked for by others
     */
    private boolean admits(ConstraintSpec goal, Map<String, Object> from) {
      ConstraintType type = verifiers.type(goal.bench(), goal.id()).orElseThrow();
      List<String> words = new ArrayList<>(type.quoted(goal.kwargs()));
      words.removeAll(type.quoted(from));
      return floor == Floor.NONE || (floor.admitsWords(about(), words) && tellsApart(goal));
    }

    private static ConstraintSpec with(ConstraintSpec spec, Map<String, Object> kwargs) {
      return new ConstraintSpec(spec.bench(), spec.id(), kwargs);
    }

    /** A random constraint of another type that y satisfies, or null; with peers, the hardest. */
    private @Nullable ConstraintSpec swap(String bench) {
      List<ConstraintType> pool = new ArrayList<>(verifiers.types(bench));
      pool.removeIf(
          type ->
              asked.contains(type.id())
                  || clashing.contains(type.id())
                  || dropped.contains(type.id()));
      List<ConstraintSpec> held = new ArrayList<>();
      while (!pool.isEmpty() && (held.isEmpty() || !peers.isEmpty())) {
        ConstraintType type = pool.remove(random.nextInt(pool.size()));
        Map<String, Object> asked = parameters.sample(type, x, random).orElse(null);
        if (asked != null) {
          verifiers
              .achieved(type, y, asked, random)
              .map(kwargs -> new ConstraintSpec(bench, type.id(), kwargs))
              .filter(this::confirmed)
              .filter(goal -> admits(goal, asked))
              .ifPresent(held::add);
        }
      }
      return hardest(held);
    }

    /** The constraint that most peers fail, at random among equals; null if there is none. */
    private @Nullable ConstraintSpec hardest(List<ConstraintSpec> held) {
      ConstraintSpec hardest = null;
      double most = -1;
      for (ConstraintSpec spec : new LinkedHashSet<>(held)) {
        double failed = random.nextDouble();
        for (Response peer : peers) {
          failed += satisfies(peer, spec) ? 0 : 1;
        }
        if (failed > most) {
          most = failed;
          hardest = spec;
        }
      }
      return hardest;
    }

    private void choose(ConstraintSpec spec) {
      asked.add(spec.id());
      verifiers.type(spec.bench(), spec.id()).ifPresent(type -> clashing.addAll(type.clashes()));
    }

    /**
     * A constraint that no rule understands is no goal, even if the reference counts it as
     * satisfied.
     */
    private boolean confirmed(ConstraintSpec spec) {
      return satisfies(y, spec) && verifiers.parse(spec).unread().isEmpty();
    }

    private boolean satisfies(Response response, ConstraintSpec spec) {
      return verifiers.judge(List.of(spec), response).ila();
    }

    private String sentence(ConstraintSpec spec) {
      ConstraintType type = verifiers.type(spec.bench(), spec.id()).orElseThrow();
      return phrasing.sentence(type, spec.kwargs());
    }
  }
}
