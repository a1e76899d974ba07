package org.hirengine.cli.demo;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.Verifiers;

/**
 * Draws pairs of a request and a response.
 *
 * <p>A request is a question ("write about river.") and the wishes of a few {@link Wish}es. The
 * response is written first, in a layout that suits the wishes; the constraints are then derived
 * from it, so every request can be satisfied.
 */
final class World {

  /** IFTrain's checkers include IFEval's. */
  static final String BENCH = "iftrain";

  /** The longest response of the world, in tokens, without the end of the turn. */
  static final int LONGEST_RESPONSE = 40;

  private static final int ATTEMPTS = 10_000;

  private final Verifiers verifiers;

  World(Verifiers verifiers) {
    this.verifiers = verifiers;
  }

  /**
   * A request and a response that it was drawn with.
   *
   * @param question the request without its constraints
   * @param constraints what the verifiers check
   * @param response the text, which satisfies all constraints of a true pair
   */
  record Pair(String question, List<ConstraintSpec> constraints, String response) {}

  static ConstraintSpec spec(String id, Map<String, Object> kwargs) {
    return new ConstraintSpec(BENCH, id, kwargs);
  }

  /**
   * A pair whose response satisfies every constraint.
   *
   * @param constraints how many constraints the request has
   */
  Pair truePair(int constraints, RandomGenerator random) {
    return pair(constraints, 1.0, random);
  }

  /**
   * A pair in which each constraint is derived from the response with probability {@code share},
   * and otherwise from another response to the same question, so that only chance satisfies it.
   */
  Pair pair(int constraints, double share, RandomGenerator random) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      Optional<Pair> pair = attempt(constraints, share, random);
      if (pair.isPresent()) {
        return pair.get();
      }
    }
    throw new IllegalStateException(
        "no pair with " + constraints + " constraints in " + ATTEMPTS + " attempts");
  }

  private Optional<Pair> attempt(int constraints, double share, RandomGenerator random) {
    String topic = Lexicon.NOUNS.get(random.nextInt(Lexicon.NOUNS.size()));
    List<Wish> wishes = wishes(constraints, topic, random);
    List<Wish> kept = wishes.stream().filter(wish -> random.nextDouble() < share).toList();
    Optional<Draft> draft = draft(topic, kept, random);
    Optional<Draft> other = kept.size() == wishes.size() ? draft : draft(topic, wishes, random);
    if (draft.isEmpty() || other.isEmpty()) {
      return Optional.empty();
    }
    List<ConstraintSpec> specs = new ArrayList<>();
    for (Wish wish : wishes) {
      Draft source = kept.contains(wish) ? draft.get() : other.get();
      Optional<List<ConstraintSpec>> read = wish.read(source, random);
      if (read.isEmpty() || !source.satisfies(read.get())) {
        return Optional.empty();
      }
      specs.addAll(read.get());
    }
    if (specs.size() != constraints || specs.stream().distinct().count() != constraints) {
      return Optional.empty();
    }
    return Optional.of(new Pair(draft.get().question(), specs, draft.get().text()));
  }

  /** Compatible wishes in random order; no more than the number of constraints. */
  private static List<Wish> wishes(int constraints, String topic, RandomGenerator random) {
    Layout layout = new Layout(topic);
    List<Wish> left = new ArrayList<>(List.of(Wish.values()));
    List<Wish> wishes = new ArrayList<>();
    int count = 0;
    while (count < constraints && !left.isEmpty()) {
      Wish wish = left.remove(random.nextInt(left.size()));
      if (count + wish.constraints() > constraints || wishes.stream().anyMatch(wish::rivals)) {
        continue;
      }
      if (wish.shape(layout, random)) {
        wishes.add(wish);
        count += wish.constraints();
      }
    }
    return wishes;
  }

  private Optional<Draft> draft(String topic, List<Wish> wishes, RandomGenerator random) {
    Layout layout = new Layout(topic);
    for (Wish wish : wishes) {
      if (!wish.shape(layout, random)) {
        return Optional.empty();
      }
    }
    layout.fill(random);
    List<String> tokens = Writer.write(layout, random);
    return tokens.size() > LONGEST_RESPONSE
        ? Optional.empty()
        : Optional.of(new Draft(verifiers, "write about " + topic + ".", Vocabulary.join(tokens)));
  }
}
