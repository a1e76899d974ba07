package org.hirengine.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/**
 * Random texts and random kwargs for every type of every benchmark: verification never throws,
 * always ends, and gives the same verdicts again, in another order and on another thread.
 *
 * <p>{@code -Dhir.testArgs="-Dhir.fuzz.seconds=600 -Dhir.fuzz.seed=7"} runs it longer, from another
 * seed. A failure names the seed of its round, which then is the first round with that seed.
 */
class VerifiersFuzzTest {

  private static final Verifiers VERIFIERS = Verifiers.standard();
  private static final Duration BACKSTOP = Duration.ofMinutes(2);

  private static final List<String> NASTY =
      List.of("(a+)+$", "(.*)*\\1", "[", "(?", "\\", "a{9999}", "\uD800", "\u0000", "", " ", "*");

  private static final List<String> SENTENCES =
      List.of(
          "If each level 2 heading must include 'copper (', at most two words, rows, sentences and"
              + " paragraphs of simplified JSON with two levels in uppercase end with a period.",
          "Each response must contain between 3 and 5 sentences, 10-20 words and two paragraphs.",
          "Must include the keywords \"river\", 'Golden' and \u201Clevel\u201D, ending with '?!'.",
          "The table must have no more than three columns and at least 4 rows.",
          "Use traditional Chinese, all lowercase, each word capitalized.");

  @Test
  void judgingNeverThrowsEndsAndRepeats() {
    long first = Long.getLong("hir.fuzz.seed", 1);
    long seed = first;
    long end = System.nanoTime() + Long.getLong("hir.fuzz.seconds", 20) * 1_000_000_000;
    do {
      long round = seed++;
      RandomGenerator random = new SplittableRandom(round);
      String text = FuzzTexts.next(random);
      List<ConstraintSpec> specs = specs(random);
      try {
        assertTimeoutPreemptively(BACKSTOP, () -> judge(specs, text));
      } catch (Throwable e) {
        throw new AssertionError("fuzz round failed: repeat it with -Dhir.fuzz.seed=" + round, e);
      }
    } while (System.nanoTime() < end);
    System.out.println("fuzz: " + (seed - first) + " texts from seed " + first + ", all types");
  }

  /** One constraint of every type, in random order. */
  private static List<ConstraintSpec> specs(RandomGenerator random) {
    List<ConstraintSpec> specs = new ArrayList<>();
    Set<ConstraintType> seen = new HashSet<>();
    for (String bench : VERIFIERS.benches()) {
      for (ConstraintType type : VERIFIERS.types(bench)) {
        if (seen.add(type)) { // IFTrain includes IFEval's types
          specs.add(new ConstraintSpec(bench, type.id(), kwargs(bench, type, random)));
        }
      }
    }
    for (int i = specs.size(); i > 1; i--) {
      Collections.swap(specs, i - 1, random.nextInt(i));
    }
    return specs;
  }

  private static Map<String, Object> kwargs(
      String bench, ConstraintType type, RandomGenerator random) {
    if (bench.equals(ConstraintJson.MULDIMIF)) {
      String sentence = SENTENCES.get(random.nextInt(SENTENCES.size()));
      return Map.of("constraint", random.nextInt(32) == 0 ? FuzzTexts.next(random) : sentence);
    }
    String question = FuzzTexts.next(random);
    Map<String, Object> kwargs =
        new LinkedHashMap<>(
            bench.equals(ConstraintJson.RLVR)
                ? ConstraintTypesTest.FUNCTION_ARGUMENTS
                : type.sample(random, question).orElse(Map.of()));
    if (random.nextInt(32) == 0) { // each endless pattern costs a whole step budget
      kwargs.replaceAll((name, value) -> bent(value, random));
    }
    return kwargs;
  }

  /** An absurd value of the same kind. */
  private static Object bent(Object value, RandomGenerator random) {
    if (value instanceof String) {
      return NASTY.get(random.nextInt(NASTY.size()));
    }
    if (value instanceof List<?> list) {
      return list.stream().map(each -> bent(each, random)).toList();
    }
    return List.of(0, -1, Integer.MAX_VALUE, Integer.MIN_VALUE, 1e18).get(random.nextInt(5));
  }

  private static void judge(List<ConstraintSpec> specs, String text) {
    Response response = Response.of(text);
    CompletableFuture<List<Verdict>> elsewhere =
        CompletableFuture.supplyAsync(() -> verdicts(specs, Response.of(text)));
    List<Verdict> verdicts = verdicts(specs, response);
    List<ConstraintSpec> backwards = new ArrayList<>(specs);
    Collections.reverse(backwards);
    List<Verdict> again = new ArrayList<>(verdicts(backwards, response));
    Collections.reverse(again);
    List<Verdict> other = elsewhere.join();
    for (int i = 0; i < verdicts.size(); i++) {
      Verdict verdict = verdicts.get(i);
      String what = specs.get(i / 2) + ": " + verdict;
      assertFalse(verdict.reason().isBlank(), what);
      assertTrue(isExplained(verdict), what);
      // In reverse order, each pair of strict and loose is reversed, too.
      assertEquals(verdict, again.get(i ^ 1), what);
      assertEquals(verdict, other.get(i), what);
    }
  }

  private static List<Verdict> verdicts(List<ConstraintSpec> specs, Response response) {
    List<Verdict> verdicts = new ArrayList<>();
    for (ConstraintSpec spec : specs) {
      for (Strictness strictness : Strictness.values()) {
        verdicts.add(VERIFIERS.judge(spec, response, strictness));
      }
    }
    return verdicts;
  }

  /** A failure has a known cause, not an accidental exception. */
  private static boolean isExplained(Verdict verdict) {
    return verdict.outcome() != Verdict.Outcome.FAILED
        || verdict.reason().startsWith("the reference raises: ")
        || verdict.reason().contains("was stopped after")
        || verdict.reason().contains("at position");
  }
}
