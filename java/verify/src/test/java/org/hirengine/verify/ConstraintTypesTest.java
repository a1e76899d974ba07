package org.hirengine.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.hirengine.testing.SharedData;
import org.hirengine.verify.ifbench.Revision;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What every constraint type promises. */
class ConstraintTypesTest {

  private static final Verifiers VERIFIERS = Verifiers.standard();
  private static final String QUESTION = "Name three uses of copper and say why it suits them.";

  private static final String[] PIECES = {
    "the ", "river ", "Golden ", "WATER ", "a ", "level ", "42 ", "[name] ", "*bold* ", "**x** ",
    "<<Title>> ", "P.S. ", "\n\n", "\n", "\n* item ", "\n- item ", "***", "******", ". ", "! ",
    "? ", ", ", "\"", "Section 1 ", "-", "copper ", "candle. ", "\u65E5\u672C ", "\uD83D\uDE00 "
  };

  static Stream<ConstraintType> types() {
    return VERIFIERS.benches().stream()
        .flatMap(bench -> VERIFIERS.types(bench).stream())
        .distinct();
  }

  /** A benchmark that has this type object. */
  private static String bench(ConstraintType type) {
    return VERIFIERS.benches().stream()
        .filter(bench -> VERIFIERS.types(bench).contains(type))
        .findFirst()
        .orElseThrow();
  }

  /** A MulDimIF constraint in which every checker finds something. */
  private static final String SENTENCE =
      "If each level 2 heading must include 'copper (', at most two words, rows, sentences and"
          + " paragraphs of simplified JSON with two levels in uppercase end with a period.";

  /**
   * All arguments of RLVR's functions, which new instructions do not use; each function takes its
   * own.
   */
  static final Map<String, Object> FUNCTION_ARGUMENTS =
      Map.ofEntries(
          Map.entry("keyword_list", List.of("river", "copper")),
          Map.entry("forbidden_words", List.of("sea")),
          Map.entry("options", List.of("yes", "no")),
          Map.entry("word", "river"),
          Map.entry("letter", "e"),
          Map.entry("language", "en"),
          Map.entry("quantifier", "around"),
          Map.entry("N", 3),
          Map.entry("i", 2),
          Map.entry("first_word", "The"),
          Map.entry("postscript_marker", "P.S."),
          Map.entry("section_splitter", "Section"),
          Map.entry("original_prompt", "Name three"),
          Map.entry("end_phrase", "The end."));

  /** Sampled kwargs; none for a type that cannot be combined with others, such as a fixed task. */
  private static Map<String, Object> kwargs(ConstraintType type, RandomGenerator random) {
    if (bench(type).equals(ConstraintJson.MULDIMIF)) {
      return Map.of("constraint", SENTENCE);
    }
    if (bench(type).equals(ConstraintJson.RLVR)) {
      return FUNCTION_ARGUMENTS;
    }
    return type.sample(random, QUESTION).orElse(Map.of());
  }

  static String text(RandomGenerator random) {
    StringBuilder text = new StringBuilder();
    for (int n = random.nextInt(40); n >= 0; n--) {
      text.append(PIECES[random.nextInt(PIECES.length)]);
    }
    return text.toString();
  }

  @ParameterizedTest
  @MethodSource("types")
  void samplesParseAndWordThemselves(ConstraintType type) {
    RandomGenerator random = new SplittableRandom(1);
    for (int i = 0; i < 50; i++) {
      Optional<Map<String, Object>> kwargs = type.sample(random, QUESTION);
      if (kwargs.isEmpty()) {
        return;
      }
      type.parse(kwargs.get());
      String sentence = type.sentence(kwargs.get());
      assertTrue(sentence.endsWith("."), sentence);
      assertTrue(Character.isUpperCase(sentence.charAt(0)), sentence);
      assertFalse(sentence.contains("null") || sentence.contains("  "), sentence);
      for (Object value : kwargs.get().values()) {
        List<?> parts = value instanceof List<?> list ? list : List.of(value);
        for (Object part : parts) {
          boolean once =
              part.equals(1) && (sentence.contains(" once.") || sentence.startsWith("Do not"));
          if (!part.equals("at least")
              && !part.equals("less than")
              && !once
              && !sayable(type, part)) {
            assertTrue(sentence.contains(part.toString()), sentence + " lacks " + part);
          }
        }
      }
    }
  }

  /** Languages, which sentences name in words. */
  private static boolean sayable(ConstraintType type, Object part) {
    return type.id().equals("language:response_language") && part instanceof String;
  }

  /** Types that are satisfied by texts which do not do what was asked. */
  private static final Set<String> BENEFIT_OF_THE_DOUBT =
      Set.of("language:response_language", "detectable_format:json_format");

  /** Relabelling by achieved goals (ALGORITHM): the verifier confirms every returned parameter. */
  @ParameterizedTest
  @MethodSource("types")
  void achievedKwargsAreSatisfied(ConstraintType type) {
    RandomGenerator random = new SplittableRandom(2);
    for (int i = 0; i < 150; i++) {
      Optional<Map<String, Object>> asked = type.sample(random, QUESTION);
      if (asked.isEmpty()) {
        return;
      }
      Response response = Response.of(random.nextInt(10) == 0 ? QUESTION : text(random));
      if (response.isBlank()) {
        continue;
      }
      Verdict before = type.parse(asked.get()).check(response);
      Optional<Map<String, Object>> achieved = type.achieved(response, asked.get(), random);
      if (before.satisfied() && !BENEFIT_OF_THE_DOUBT.contains(type.id())) {
        assertEquals(asked, achieved, "what is satisfied stays as it was asked");
      }
      achieved.ifPresent(
          kwargs -> {
            Verdict verdict = type.parse(kwargs).check(response);
            assertTrue(verdict.satisfied(), type.id() + kwargs + ": " + verdict + response);
            assertEquals(asked.get().keySet(), kwargs.keySet());
          });
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void missingAndWrongKwargsAreNamed(ConstraintType type) {
    Optional<Map<String, Object>> kwargs = type.sample(new SplittableRandom(3), QUESTION);
    if (kwargs.isEmpty()) {
      return;
    }
    for (String name : kwargs.get().keySet()) {
      Map<String, Object> without = new LinkedHashMap<>(kwargs.get());
      without.remove(name);
      String missing =
          assertThrows(IllegalArgumentException.class, () -> type.parse(without)).getMessage();
      assertTrue(missing.contains(type.id()) && missing.contains("'" + name + "'"), missing);
      without.put(name, Map.of());
      String wrong =
          assertThrows(IllegalArgumentException.class, () -> type.parse(without)).getMessage();
      assertTrue(wrong.contains("'" + name + "' must be"), wrong);
      if (kwargs.get().get(name) instanceof Integer number) {
        without.put(name, number + 0.0);
        type.parse(without);
        without.put(name, number + 0.5);
        assertThrows(IllegalArgumentException.class, () -> type.parse(without));
      }
    }
  }

  /** Where the references draw an argument at random, no response gets a verdict. */
  @ParameterizedTest
  @MethodSource("types")
  void emptyAndNegativeKwargsAreNamed(ConstraintType type) {
    Map<String, Object> sampled = type.sample(new SplittableRandom(3), QUESTION).orElse(Map.of());
    for (String name : sampled.keySet()) {
      for (Object value : worthless(name, sampled.get(name))) {
        Map<String, Object> kwargs = new LinkedHashMap<>(sampled);
        kwargs.put(name, value);
        String message =
            assertThrows(IllegalArgumentException.class, () -> type.parse(kwargs), kwargs::toString)
                .getMessage();
        assertTrue(message.startsWith(type.id() + ": kwarg '" + name + "'"), message);
        Verdict verdict =
            VERIFIERS.judge(
                new ConstraintSpec(bench(type), type.id(), kwargs),
                Response.of("Some text."),
                Strictness.LOOSE);
        assertEquals(Verdict.none(message), verdict);
      }
    }
  }

  private static List<Object> worthless(String name, Object good) {
    if (good instanceof List) {
      return List.of(List.of(), List.of(""), List.of("river", " \u00A0"), List.of(5), "river");
    }
    if (good instanceof Integer) {
      return name.equals("n_start") || name.equals("n_end") // a span can count from the end
          ? List.of("40", true, 2.5)
          : List.of(-1, -3.0, "40", true, 2.5, Double.NaN, Long.MAX_VALUE);
    }
    return List.of("", " \n\u3000", 5, List.of(good));
  }

  private static String sentence(String id, Map<String, Object> kwargs) {
    return VERIFIERS.type("ifeval", id).orElseThrow().sentence(kwargs);
  }

  @Test
  void sentencesReadAsAPersonWouldWriteThem() {
    String letter = "keywords:letter_frequency";
    Map<String, Object> once =
        Map.of("letter", "h", "let_frequency", 1, "let_relation", "at least");
    Map<String, Object> never =
        Map.of("letter", "h", "let_frequency", 1, "let_relation", "less than");
    assertEquals("Use the letter \"h\" at least once.", sentence(letter, once));
    assertEquals("Do not use the letter \"h\".", sentence(letter, never));
    assertEquals(
        "Use the word \"sea\" fewer than 3 times.",
        sentence(
            "keywords:frequency",
            Map.of("keyword", "sea", "frequency", 3, "relation", "less than")));
    assertEquals(
        "Write exactly 1 paragraph, without blank lines, and begin it with the word \"so\".",
        sentence(
            "length_constraints:nth_paragraph_first_word",
            Map.of("num_paragraphs", 1, "nth_paragraph", 1, "first_word", "so")));
  }

  /** The beginning or end of a response is no goal if it is markup. */
  @Test
  void markupIsNoAchievedGoal() {
    Map<String, Object> paragraph =
        Map.of("num_paragraphs", 2, "nth_paragraph", 1, "first_word", "so");
    for (String text : List.of("```\n{}\n```", "* one", "# Title")) {
      assertEquals(
          Optional.empty(),
          achieved("length_constraints:nth_paragraph_first_word", text, paragraph));
    }
    Map<String, Object> end = Map.of("end_phrase", "That is all.");
    for (String text : List.of("See [this](page)", "and **this**", "```")) {
      assertEquals(Optional.empty(), achieved("startend:end_checker", text, end));
    }
  }

  /** Whole sentences, but not the whole response. */
  @ParameterizedTest
  @CsvSource({
    "'It rains. We stay at home.', We stay at home.",
    "'It rains.\nSee you soon', See you soon",
    "'\"It rains! Do you mind?\"', Do you mind?",
    "'नदी बहती है। नदी पर पुल है।', नदी पर पुल है।",
    "We stay at home.,",
    "'It rains. Onyx.',",
    "'It rains.\n- home and dry',",
    "'It rains. And so we all went to the long table of this Western luxury market.',",
  })
  void anEndThatIsAchievedIsASentence(String text, @Nullable String phrase) {
    assertEquals(
        Optional.ofNullable(phrase).map(end -> Map.of("end_phrase", end)),
        achieved("startend:end_checker", text, Map.of("end_phrase", "That is all.")));
  }

  /** Every text has a sentence and a word, and one paragraph has no divider. */
  @Test
  void whatEveryTextHasIsNoAchievement() {
    Map<String, Object> sentences = Map.of("num_sentences", 4, "relation", "at least");
    assertEquals(
        Optional.empty(), achieved("length_constraints:number_sentences", "It rains.", sentences));
    assertEquals(
        Optional.of(2),
        achieved("length_constraints:number_sentences", "It rains. It snows.", sentences)
            .map(kwargs -> kwargs.get("num_sentences")));
    assertEquals(
        Optional.empty(),
        achieved(
            "length_constraints:number_paragraphs", "One.\n\nTwo.", Map.of("num_paragraphs", 3)));
    assertEquals(Optional.empty(), achieved("detectable_format:json_format", "\"No.\"", Map.of()));
    assertEquals(
        Optional.of(Map.of()), achieved("detectable_format:json_format", "[\"No.\"]", Map.of()));
    assertEquals(
        Optional.empty(),
        achieved("language:response_language", "*** 1 2 3", Map.of("language", "bn")));
  }

  private static Optional<Map<String, Object>> achieved(
      String id, String response, Map<String, Object> asked) {
    return VERIFIERS.achieved(
        VERIFIERS.type("ifeval", id).orElseThrow(),
        Response.of(response),
        asked,
        new SplittableRandom(1));
  }

  @Test
  void clashesAreSymmetricAndNameKnownTypes() {
    Set<String> ids = new HashSet<>();
    types().forEach(type -> ids.add(type.id()));
    types()
        .forEach(
            type -> {
              for (String other : type.clashes()) {
                assertTrue(ids.contains(other), type.id() + " clashes with unknown " + other);
              }
            });
    for (String bench : List.of("ifeval", "iftrain", "ifbench")) {
      for (ConstraintType a : VERIFIERS.types(bench)) {
        types()
            .forEach(b -> assertEquals(a.clashes().contains(b.id()), b.clashes().contains(a.id())));
      }
    }
  }

  @Test
  void unlikelyTextsEndInBoundedTime() {
    List<String> texts =
        List.of(
            "[".repeat(200_000),
            "*".repeat(200_000),
            "<<".repeat(100_000),
            "\n".repeat(200_000) + "x",
            " \n".repeat(100_000) + "*",
            "'".repeat(200_000) + ".",
            ". ".repeat(100_000),
            "a".repeat(200_000),
            "A. b? ".repeat(30_000),
            "{\"a\":".repeat(40_000),
            "([{".repeat(100_000),
            "\"'".repeat(100_000),
            "\n\n \n".repeat(60_000) + "a",
            "a,".repeat(100_000) + "\r",
            "Question 1".repeat(20_000),
            "\u0000".repeat(200_000),
            "\uD800".repeat(200_000));
    RandomGenerator random = new SplittableRandom(5);
    types()
        .forEach(
            type -> {
              Verifier verifier = type.parse(kwargs(type, random));
              for (String text : texts) {
                assertFalse(verifier.check(Response.of(text)).reason().isBlank(), type.id());
              }
            });
  }

  /**
   * A response's analyses are shared, so this is the cost of the checks and of one analysis each.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "[",
        "(]",
        "a ",
        "'\"",
        "!\n",
        "x. ",
        "*-\n",
        "\uD800\u0000 ",
        "a,\"\r\n",
        "M\u0301\u3042"
      })
  void megabytesEndInBoundedTime(String piece) {
    RandomGenerator random = new SplittableRandom(7);
    String text = piece.repeat(1_000_000 / piece.length());
    for (Revision revision : Revision.values()) {
      Response response = Response.of(text);
      for (ConstraintType type : VERIFIERS.types(revision.bench())) {
        ConstraintSpec spec = new ConstraintSpec(revision.bench(), type.id(), kwargs(type, random));
        Verdict verdict = VERIFIERS.judge(spec, response, Strictness.STRICT);
        assertTrue(verdict.decided() && !verdict.reason().isBlank(), type.id());
      }
    }
  }

  @Test
  void verdictsAreTheSameOnManyThreads() throws IOException {
    List<ConstraintSpec> specs = new ArrayList<>();
    List<Response> responses = new ArrayList<>();
    for (JsonNode line : Conformance.lines("ifeval.real").subList(0, 150)) {
      responses.add(Response.of(line.get("response").asText()));
    }
    RandomGenerator random = new SplittableRandom(6);
    for (ConstraintType type : VERIFIERS.types("ifeval")) {
      type.sample(random, QUESTION)
          .ifPresent(kwargs -> specs.add(new ConstraintSpec("ifeval", type.id(), kwargs)));
    }
    List<JudgeList> alone =
        responses.stream()
            .map(r -> VERIFIERS.judge(specs, Response.of(r.text()), Strictness.LOOSE))
            .toList();
    List<JudgeList> together =
        Stream.of(0, 1, 2, 3)
            .flatMap(copy -> responses.stream())
            .parallel()
            .map(r -> VERIFIERS.judge(specs, r, Strictness.LOOSE))
            .toList();
    for (int i = 0; i < together.size(); i++) {
      assertEquals(alone.get(i % alone.size()), together.get(i));
    }
    SharedData.counted("verify.threads", together.size());
  }
}
