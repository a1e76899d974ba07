package org.hirengine.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.hirengine.replay.Rewrite.Reason;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.Verifiers;
import org.junit.jupiter.api.Test;

class AchievedRewriterTest {

  private static final Verifiers VERIFIERS = Verifiers.standard();
  private static final String WORDS = "length_constraints:number_words";
  private static final Response SEVEN_WORDS = Response.of("the river runs far, far into summer");

  private final AchievedRewriter rewriter = new AchievedRewriter(VERIFIERS);

  @Test
  void aViolatedNumberBecomesTheOneAchieved() {
    Instruction x = ask(spec(WORDS, Map.of("num_words", 40, "relation", "at least")));
    Set<Object> numbers = new HashSet<>();
    for (int seed = 0; seed < 100; seed++) {
      Rewrite.Rewritten done = rewritten(x, SEVEN_WORDS, seed);
      assertEquals(1, done.relabelled());
      ConstraintSpec now = done.instruction().constraints().get(0);
      assertEquals(WORDS, now.id());
      assertEquals("at least", now.kwargs().get("relation"));
      numbers.add(now.kwargs().get("num_words"));
      assertEquals(
          VERIFIERS.type("ifeval", WORDS).orElseThrow().sentence(now.kwargs()),
          done.instruction().criteria().get(0));
    }
    assertEquals(Set.of(3, 4, 5, 6, 7), numbers, "the count minus 0 to 4");
  }

  @Test
  void satisfiedConstraintsKeepTheirOwnSentences() {
    Instruction x =
        ask(
            spec("keywords:existence", Map.of("keywords", List.of("river"))),
            spec(WORDS, Map.of("num_words", 3, "relation", "less than")));
    Rewrite.Rewritten done = rewritten(x, SEVEN_WORDS, 1);
    assertEquals(x.criteria().get(0), done.instruction().criteria().get(0));
    assertEquals(x.constraints().get(0), done.instruction().constraints().get(0));
    assertNotEquals(x.criteria().get(1), done.instruction().criteria().get(1));
    assertEquals(
        x.with(done.instruction().criteria(), done.instruction().constraints()),
        done.instruction());
  }

  @Test
  void aViolatedBinaryTypeIsSwappedForASatisfiedOne() {
    Instruction x =
        ask(
            spec("punctuation:no_comma", Map.of()),
            spec(WORDS, Map.of("num_words", 5, "relation", "at least")));
    Set<String> swappedIn = new HashSet<>();
    for (int seed = 0; seed < 200; seed++) {
      Rewrite.Rewritten done = rewritten(x, SEVEN_WORDS, seed);
      assertEquals(1, done.swapped());
      ConstraintSpec now = done.instruction().constraints().get(0);
      assertFalse(Set.of("punctuation:no_comma", WORDS).contains(now.id()), now.id());
      swappedIn.add(now.id());
      assertTrue(VERIFIERS.judge(done.instruction().constraints(), SEVEN_WORDS).ila());
    }
    assertTrue(swappedIn.size() >= 4, "random types: " + swappedIn);
  }

  /** One in twenty of the training set's sentences of this type is satisfied. */
  @Test
  void relabelsBeforeItSwaps() {
    List<Instruction> seen = new ArrayList<>();
    for (int i = 0; i < 19; i++) {
      seen.add(ask(sentence("Length_Words", "At least " + (50 + i) + " words")));
    }
    seen.add(ask(sentence("Length_Words", "At most 50 words")));
    AchievedRewriter observed =
        new AchievedRewriter(
            VERIFIERS,
            ConstraintType::sentence,
            new ObservedParameters(seen),
            Set.of(),
            Floor.NONE);
    Instruction x = ask(sentence("Length_Words", "At least 50 words"));
    int relabelled = 0;
    for (int seed = 0; seed < 100; seed++) {
      Rewrite done =
          observed.rewrite(
              x, SEVEN_WORDS, Golden.judges(false), List.of(), new SplittableRandom(seed));
      if (done instanceof Rewrite.Rewritten rewritten) {
        relabelled += rewritten.relabelled();
      }
    }
    assertEquals(96, relabelled, 4, "1 - 0.95^64");
  }

  /** Sentences from the training set are swapped in, but none that no verifier understands. */
  @Test
  void whatNobodyUnderstandsIsNoGoal() {
    List<Instruction> seen =
        List.of(
            ask(sentence("Length_Words", "50 words or less"), sentence("Length_Words", "Be brief")),
            ask(sentence("Length_Words", "At most 50 words"), sentence("Length_Sentences", "Few")),
            ask(sentence("Format_Table", "If you use a table, keep it small")));
    AchievedRewriter observed =
        new AchievedRewriter(
            VERIFIERS,
            ConstraintType::sentence,
            new ObservedParameters(seen),
            Set.of(),
            Floor.NONE);
    Instruction x = ask(sentence("Length_Paragraphs", "exactly 9 paragraphs"));
    Set<Object> goals = new HashSet<>();
    for (int seed = 0; seed < 300; seed++) {
      Rewrite done =
          observed.rewrite(
              x,
              SEVEN_WORDS,
              VERIFIERS.judge(x.constraints(), SEVEN_WORDS),
              List.of(),
              new SplittableRandom(seed));
      if (done instanceof Rewrite.Rewritten rewritten) {
        for (ConstraintSpec goal : rewritten.instruction().constraints()) {
          goals.add(goal.kwargs().get("constraint"));
          assertTrue(VERIFIERS.parse(goal).unread().isEmpty(), goal.toString());
        }
      }
    }
    assertEquals(Set.of("At most 50 words"), goals);
  }

  private static ConstraintSpec sentence(String id, String sentence) {
    return new ConstraintSpec("muldimif", id, Map.of("constraint", sentence));
  }

  @Test
  void aConstraintOfAModelJudgeIsDropped() {
    Instruction x =
        ask(
            new ConstraintSpec("ifeval", "soft:polite", Map.of()),
            spec(WORDS, Map.of("num_words", 5, "relation", "at least")));
    JudgeList judges =
        new JudgeList(List.of(Verdict.violated("the judge says no"), Verdict.satisfied("")));
    Rewrite.Rewritten done =
        assertInstanceOf(
            Rewrite.Rewritten.class, rewriter.rewrite(x, SEVEN_WORDS, judges, new Random(0)));
    assertEquals(1, done.dropped());
    assertEquals(List.of(x.criteria().get(1)), done.instruction().criteria());
  }

  @Test
  void aRelabellingThatTheVerifierRefusesCostsTheReplay() throws IOException {
    Verifiers verifiers = Verifiers.builder().type("ifeval", new Liar()).build();
    Instruction x =
        ask(
            new ConstraintSpec("ifeval", "test:liar", Map.of()),
            spec(WORDS, Map.of("num_words", 5, "relation", "at least")));
    Rewrite.Skipped skipped =
        assertInstanceOf(
            Rewrite.Skipped.class,
            new AchievedRewriter(verifiers)
                .rewrite(
                    x, SEVEN_WORDS, verifiers.judge(x.constraints(), SEVEN_WORDS), new Random(0)));
    assertEquals(Reason.NOT_CONFIRMED, skipped.reason());
    assertTrue(skipped.detail().contains("test:liar"));
  }

  /** The references use keywords as regular expressions without escaping; "(river" is invalid. */
  @Test
  void aCheckThatThrowsDoesNotEndTheRewriting() {
    Instruction x =
        ask(
            spec(
                "keywords:frequency",
                Map.of("keyword", "(river", "frequency", 2, "relation", "at least")),
            spec(WORDS, Map.of("num_words", 5, "relation", "at least")));
    for (int seed = 0; seed < 20; seed++) {
      Rewrite.Rewritten done = rewritten(x, SEVEN_WORDS, seed);
      assertTrue(VERIFIERS.judge(done.instruction().constraints(), SEVEN_WORDS).ila());
    }
  }

  @Test
  void saysWhyAPairCannotBeRewritten() {
    Instruction x = ask(spec(WORDS, Map.of("num_words", 5, "relation", "at least")));
    assertEquals(Reason.ALREADY_SATISFIED, skipped(x, SEVEN_WORDS, Golden.judges(true)));
    assertEquals(
        Reason.UNDECIDED,
        skipped(x, SEVEN_WORDS, new JudgeList(List.of(Verdict.none("no judge")))));
    assertEquals(Reason.EMPTY_RESPONSE, skipped(x, Response.of(" \n"), Golden.judges(false)));
    Instruction sentences = Instruction.of("1", "Q", List.of("A."), QType.TYPE1, null, List.of());
    assertEquals(Reason.NO_CONSTRAINTS, skipped(sentences, SEVEN_WORDS, Golden.judges(false)));
    Instruction whole = Instruction.of("1", "Q", List.of(), QType.TYPE1, "ifeval", x.constraints());
    assertEquals(Reason.NO_SENTENCES, skipped(whole, SEVEN_WORDS, Golden.judges(false)));
  }

  @Test
  void phrasingAndParametersCanBeTheTrainingDatas() {
    AchievedRewriter own =
        new AchievedRewriter(
            VERIFIERS,
            (type, kwargs) -> type.id() + kwargs,
            (type, x, random) ->
                type.id().equals("startend:end_checker")
                    ? Optional.of(Map.of("end_phrase", "whatever"))
                    : Optional.empty(),
            Set.of(),
            Floor.NONE);
    Instruction x = ask(spec("punctuation:no_comma", Map.of()));
    Rewrite.Rewritten done =
        assertInstanceOf(
            Rewrite.Rewritten.class,
            own.rewrite(
                x, Response.of("The river runs. Far, far."), Golden.judges(false), new Random(0)));
    assertEquals("startend:end_checker", done.instruction().constraints().get(0).id());
    assertTrue(done.instruction().criteria().get(0).startsWith("startend:end_checker{"));
  }

  /** No response mentions lanterns, so avoiding them is no goal; peers mention rivers. */
  @Test
  void amongPeersTheGoalIsOneThatTheyFail() {
    Map<String, Object> trivial = Map.of("forbidden_words", List.of("lantern"));
    Map<String, Object> hard = Map.of("forbidden_words", List.of("river"));
    AchievedRewriter rewriting =
        new AchievedRewriter(
            VERIFIERS,
            ConstraintType::sentence,
            (type, x, random) ->
                Optional.of(random.nextInt(2) == 0 ? trivial : hard)
                    .filter(kwargs -> type.id().equals("keywords:forbidden_words")),
            Set.of(),
            Floor.NONE);
    Instruction x =
        ask(spec("keywords:forbidden_words", Map.of("forbidden_words", List.of("hill"))));
    Response y = Response.of("A hill.");
    List<Response> peers = List.of(Response.of("A river."), Response.of("River and hill."));
    Map<Object, Integer> alone = new HashMap<>();
    Map<Object, Integer> among = new HashMap<>();
    for (int seed = 0; seed < 400; seed++) {
      alone.merge(goal(rewriting, x, y, List.of(), seed), 1, Integer::sum);
      among.merge(goal(rewriting, x, y, peers, seed), 1, Integer::sum);
    }
    // One draw out of two, and four draws of which one must succeed.
    assertEquals(200, alone.get(hard), 60);
    assertEquals(375, among.get(hard), 20);
    assertEquals(400, among.get(hard) + among.get(trivial));
  }

  /** "strict" occurs by chance; "meadow" occurs in another response, too. */
  @Test
  void aboveTheFloorWordsAreAboutSomething() {
    Response y = Response.of("The river, which bends, passes a meadow and a strict corner.");
    List<Response> peers = List.of(Response.of("A river."), Response.of("Meadows by a river."));
    Instruction x = ask(spec("keywords:existence", Map.of("keywords", List.of("feather"))));
    Map<Floor, Set<Object>> words = new HashMap<>();
    for (Floor floor : Floor.values()) {
      for (int seed = 0; seed < 200; seed++) {
        Map<String, Object> kwargs = goal(relabelling(floor), x, y, peers, seed);
        words.computeIfAbsent(floor, f -> new HashSet<>()).add(kwargs.get("keywords"));
      }
    }
    assertTrue(words.get(Floor.NONE).contains(List.of("strict")));
    assertTrue(words.get(Floor.PROSE).contains(List.of("strict")));
    assertEquals(Set.of(List.of("meadow")), words.get(Floor.TOPIC), "and all peers have rivers");
  }

  /** Words that the instruction asked for always stay. */
  @Test
  void aboveTheFloorTheDatasOwnWordsStay() {
    Instruction x =
        ask(spec("keywords:existence", Map.of("keywords", List.of("strict", "feather"))));
    Response y = Response.of("A strict river bends.");
    for (int seed = 0; seed < 50; seed++) {
      assertEquals(
          Map.of("keywords", List.of("strict", "river")),
          goal(relabelling(Floor.TOPIC), x, y, List.of(Response.of("No.")), seed));
    }
  }

  @Test
  void aboveTheFloorAGoalTellsResponsesApart() {
    Instruction x = ask(spec(WORDS, Map.of("num_words", 40, "relation", "at least")));
    List<Response> peers = List.of(SEVEN_WORDS, Response.of("the river runs far"));
    for (int seed = 0; seed < 100; seed++) {
      Object asked = goal(relabelling(Floor.PROSE), x, SEVEN_WORDS, peers, seed).get("num_words");
      assertTrue((int) asked > 4, "all have four words: " + asked);
    }
    Rewrite none =
        relabelling(Floor.PROSE)
            .rewrite(
                x,
                SEVEN_WORDS,
                Golden.judges(false),
                List.of(Response.of("the river runs far and far and far")),
                new Random(0));
    assertEquals(Reason.NOTHING_SATISFIED, assertInstanceOf(Rewrite.Skipped.class, none).reason());
  }

  /** One failing peer of five may be chance; two of five are informative. */
  @Test
  void aboveTheFloorAQuarterOfTheOthersFailAGoal() {
    Instruction x = ask(spec("language:response_language", Map.of("language", "hi")));
    Response y = Response.of("The river runs far, and the people of the valley follow it.");
    Response german = Response.of("Der Fluss fließt weit, und die Leute im Tal folgen ihm.");
    for (int others = 1; others <= 2; others++) {
      List<Response> peers = new ArrayList<>(Collections.nCopies(5 - others, y));
      peers.addAll(Collections.nCopies(others, german));
      Rewrite done =
          relabelling(Floor.PROSE)
              .rewrite(x, y, Golden.judges(false), peers, new SplittableRandom(1));
      assertEquals(others == 2, done instanceof Rewrite.Rewritten, others + " others: " + done);
    }
  }

  /** A rewriter that swaps nothing in. */
  private static AchievedRewriter relabelling(Floor floor) {
    return new AchievedRewriter(
        VERIFIERS,
        ConstraintType::sentence,
        (type, x, random) -> Optional.empty(),
        Set.of(),
        floor);
  }

  private static Map<String, Object> goal(
      AchievedRewriter rewriter, Instruction x, Response y, List<Response> peers, int seed) {
    Rewrite.Rewritten done =
        assertInstanceOf(
            Rewrite.Rewritten.class,
            rewriter.rewrite(x, y, Golden.judges(false), peers, new SplittableRandom(seed)));
    assertEquals(1, done.relabelled());
    return done.instruction().constraints().get(0).kwargs();
  }

  @Test
  void typesThatAreToBeDroppedAreNeverRelabelled() {
    AchievedRewriter dropping =
        new AchievedRewriter(
            VERIFIERS,
            ConstraintType::sentence,
            (type, x, random) -> type.sample(random, x.question()),
            Set.of(WORDS),
            Floor.NONE);
    Instruction x =
        ask(
            spec("punctuation:no_comma", Map.of()),
            spec(WORDS, Map.of("num_words", 50, "relation", "at least")));
    for (int seed = 0; seed < 50; seed++) {
      Rewrite.Rewritten done =
          assertInstanceOf(
              Rewrite.Rewritten.class,
              dropping.rewrite(
                  x, Response.of("Seven"), Golden.judges(true, false), new Random(seed)));
      assertEquals(x.constraints().subList(0, 1), done.instruction().constraints());
      assertEquals(1, done.dropped());
    }
  }

  /** Random requests and responses: y always satisfies x', and x' has no new clashes. */
  @Test
  void rewritesOfRandomPairsAlwaysHold() {
    Random random = new Random(17);
    int rewritten = 0;
    List<ConstraintType> types = List.copyOf(VERIFIERS.types("ifeval"));
    for (int trial = 0; trial < 400; trial++) {
      Response y = Response.of(randomText(random));
      List<ConstraintSpec> asked = new ArrayList<>();
      for (int i = 1 + random.nextInt(6); i > 0; i--) {
        ConstraintType type = types.get(random.nextInt(types.size()));
        type.sample(random, "write about rivers")
            .ifPresent(kwargs -> asked.add(spec(type.id(), kwargs)));
      }
      if (asked.isEmpty()) {
        continue;
      }
      Instruction x = ask(asked.toArray(ConstraintSpec[]::new));
      JudgeList judges = VERIFIERS.judge(asked, y);
      Rewrite result = rewriter.rewrite(x, y, judges, new Random(trial));
      assertEquals(result, rewriter.rewrite(x, y, judges, new Random(trial)), "repeatable");
      if (result instanceof Rewrite.Rewritten done) {
        rewritten++;
        assertHolds(x, y, done);
      } else {
        Reason reason = assertInstanceOf(Rewrite.Skipped.class, result).reason();
        assertTrue(
            reason == Reason.ALREADY_SATISFIED || reason == Reason.EMPTY_RESPONSE, reason + "");
      }
    }
    assertTrue(rewritten > 250, rewritten + " of 400");
  }

  private static void assertHolds(Instruction x, Response y, Rewrite.Rewritten done) {
    List<ConstraintSpec> now = done.instruction().constraints();
    JudgeList judges = VERIFIERS.judge(now, y);
    assertTrue(judges.ila(), () -> now + " on " + y.text() + ": " + judges.verdicts());
    assertEquals(x.constraints().size(), now.size() + done.dropped());
    assertEquals(now.size(), done.instruction().criteria().size());
    Set<String> asked = new HashSet<>();
    x.constraints().forEach(c -> asked.add(c.id()));
    List<String> swapped =
        now.stream().map(ConstraintSpec::id).filter(id -> !asked.contains(id)).toList();
    assertEquals(done.swapped(), swapped.size());
    assertEquals(swapped.size(), Set.copyOf(swapped).size(), "no type is swapped in twice");
    for (String id : swapped) {
      for (ConstraintSpec other : now) {
        assertFalse(
            !other.id().equals(id)
                && VERIFIERS.type("ifeval", other.id()).orElseThrow().clashes().contains(id),
            id + " clashes with " + other.id());
      }
    }
  }

  private static String randomText(Random random) {
    String[] pieces = {
      "river",
      "golden",
      "The",
      "summer",
      ",",
      ".",
      "\n\n",
      "\n* ",
      "***",
      "P.S.",
      "<<title>>",
      "[place]",
      "\"",
      "é",
      "!",
      "NO",
      "{\"a\": 1}",
      "*light*"
    };
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(40); i > 0; i--) {
      text.append(pieces[random.nextInt(pieces.length)]).append(random.nextInt(4) == 0 ? "" : " ");
    }
    return text.toString();
  }

  private static ConstraintSpec spec(String id, Map<String, Object> kwargs) {
    return new ConstraintSpec("ifeval", id, kwargs);
  }

  private static Instruction ask(ConstraintSpec... specs) {
    List<String> criteria = new ArrayList<>();
    for (ConstraintSpec spec : specs) {
      criteria.add("Sentence of the data for " + spec.id() + ".");
    }
    return Instruction.of(
        "1", "Write about rivers.", criteria, QType.TYPE4, "ifeval", List.of(specs));
  }

  private Rewrite.Rewritten rewritten(Instruction x, Response y, long seed) {
    JudgeList judges = VERIFIERS.judge(x.constraints(), y);
    return assertInstanceOf(
        Rewrite.Rewritten.class, rewriter.rewrite(x, y, judges, new Random(seed)));
  }

  private Reason skipped(Instruction x, Response y, JudgeList judges) {
    return assertInstanceOf(Rewrite.Skipped.class, rewriter.rewrite(x, y, judges, new Random(0)))
        .reason();
  }

  /** A type that claims parameters which its own verifier refuses. */
  private static final class Liar implements ConstraintType {

    @Override
    public String id() {
      return "test:liar";
    }

    @Override
    public Verifier parse(Map<String, Object> kwargs) {
      return response -> Verdict.violated("never");
    }

    @Override
    public String sentence(Map<String, Object> kwargs) {
      return "Lie.";
    }

    @Override
    public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
      return Optional.of(Map.of());
    }

    @Override
    public Optional<Map<String, Object>> achieved(
        Response response, Map<String, Object> kwargs, RandomGenerator random) {
      return Optional.of(Map.of());
    }

    @Override
    public Set<String> clashes() {
      return Set.of();
    }
  }
}
