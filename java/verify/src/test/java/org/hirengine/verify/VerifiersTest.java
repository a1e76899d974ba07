package org.hirengine.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hirengine.verify.Verdict.Outcome;
import org.hirengine.verify.rule.NoMark;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerifiersTest {

  private static ConstraintSpec ifeval(String id, Map<String, Object> kwargs) {
    return new ConstraintSpec("ifeval", id, kwargs);
  }

  @Test
  void whatCannotBeParsedHasNoVerdict() {
    Verifiers verifiers = Verifiers.standard();
    List<ConstraintSpec> specs =
        List.of(
            ifeval("no:such_type", Map.of()),
            new ConstraintSpec("nobench", "punctuation:no_comma", Map.of()),
            ifeval("length_constraints:number_words", Map.of("num_words", 3)),
            ifeval("keywords:existence", Map.of("keywords", "river")));
    JudgeList judges = verifiers.judge(specs, Response.of("x"));
    judges.verdicts().forEach(v -> assertEquals(Outcome.NO_VERDICT, v.outcome(), v.reason()));
    assertTrue(judges.verdicts().get(2).reason().contains("'relation' is missing"));
    assertTrue(judges.verdicts().get(3).reason().contains("a list of strings, not 'river'"));
    for (ConstraintSpec spec : specs) {
      assertThrows(IllegalArgumentException.class, () -> verifiers.parse(spec));
    }
  }

  @Test
  void constraintsTooLongToReadHaveNoVerdict() {
    ConstraintSpec endless =
        new ConstraintSpec("muldimif", "Length_Words", Map.of("constraint", "a".repeat(20_000)));
    Verdict verdict =
        Verifiers.standard().judge(endless, Response.of("one word"), Strictness.STRICT);
    assertEquals(Outcome.NO_VERDICT, verdict.outcome());
    assertTrue(verdict.reason().contains("was stopped after"), verdict.reason());
  }

  @Test
  void failedChecksAreVerdictsAndAreCounted() throws IOException {
    Verifiers verifiers = Verifiers.builder().build();
    ConstraintSpec unbalanced = ifeval("keywords:existence", Map.of("keywords", List.of("(a")));
    ConstraintSpec endless =
        ifeval(
            "keywords:frequency",
            Map.of("keyword", "(a+)+$", "frequency", 1, "relation", "at least"));
    Response response = Response.of("a".repeat(3000) + "b");
    JudgeList judges = verifiers.judge(List.of(unbalanced, endless), response, Strictness.LOOSE);
    judges.verdicts().forEach(v -> assertEquals(Outcome.FAILED, v.outcome()));
    assertTrue(judges.verdicts().get(0).reason().contains("unterminated subpattern"));
    assertTrue(judges.verdicts().get(1).reason().contains("was stopped after"));
    assertEquals(judges, verifiers.judge(List.of(unbalanced, endless), response, Strictness.LOOSE));
    assertEquals(
        Map.of("ifeval/keywords:existence", 2L, "ifeval/keywords:frequency", 2L),
        verifiers.failures());
  }

  @Test
  void blankResponsesSatisfyNothing() {
    for (Strictness strictness : Strictness.values()) {
      Verdict verdict =
          Verifiers.standard()
              .judge(
                  ifeval("punctuation:no_comma", Map.of()), Response.of(" \n\u00A0"), strictness);
      assertEquals(Outcome.VIOLATED, verdict.outcome());
    }
  }

  @Test
  void endlessResponsesAreNotChecked() {
    Response response = Response.of("a".repeat(Verifiers.MAX_LENGTH + 1));
    Verdict verdict =
        Verifiers.standard()
            .judge(ifeval("punctuation:no_comma", Map.of()), response, Strictness.STRICT);
    assertEquals(Outcome.FAILED, verdict.outcome());
    assertTrue(verdict.reason().contains("4000001 characters"), verdict.reason());
  }

  @Test
  void looseTriesWhatTheReferenceTries() {
    assertEquals(
        List.of("*a*\nb*\n*c", "a\nb\nc", "b*\n*c", "*a*\nb*", "b*", "b\nc", "a\nb", "b"),
        variants("*a*\nb*\n*c"));
    assertEquals(List.of("one line"), variants("one line"));
    assertEquals(List.of("*x*", "x"), variants("*x*"));
    assertEquals(List.of("a\n*b", "a\nb", "*b", "a", "b"), variants("a\n*b"));
    assertEquals(List.of("a\n", "a"), variants("a\n"));
    assertEquals(List.of("\n\na", "a"), variants("\n\na"));
    assertEquals(List.of(), variants("\n"));
    assertEquals(List.of("**"), variants("**"));
  }

  private static List<String> variants(String text) {
    List<String> variants = new ArrayList<>();
    Response.of(text).looseVariants().forEach(variant -> variants.add(variant.text()));
    return variants;
  }

  @Test
  void nullKwargsAreDroppedAndWholeFloatsAreIntegers() {
    Map<String, Object> kwargs = new LinkedHashMap<>();
    kwargs.put("num_words", 2.0);
    kwargs.put("relation", "at least");
    kwargs.put("keyword", null);
    ConstraintSpec spec = ifeval("length_constraints:number_words", kwargs);
    assertEquals(List.of("num_words", "relation"), List.copyOf(spec.kwargs().keySet()));
    Verdict verdict = Verifiers.standard().parse(spec).check(Response.of("one"));
    assertEquals(Verdict.violated("1 word, at least 2 asked"), verdict);
  }

  @Test
  void textDataThatIsNotThereIsNamed() throws IOException {
    assertThrows(
        IOException.class, () -> Verifiers.builder().textData(Path.of("no/such/folder")).build());
    if (System.getenv("NLTK_DATA") == null) {
      assertEquals(
          List.of(
              "tokenizers/punkt_tab/english",
              "taggers/averaged_perceptron_tagger_eng",
              "corpora/stopwords/english",
              "syllapy/words.csv"),
          Verifiers.standard().tools().builtIns());
    }
  }

  @Test
  void ownTypesJoinTheOthers() throws IOException {
    Verifiers verifiers =
        Verifiers.builder().type("mine", new NoMark("mine:no_hash", "#", "hash sign")).build();
    ConstraintSpec spec = new ConstraintSpec("mine", "mine:no_hash", Map.of());
    assertEquals(
        Verdict.violated("2 hash signs, none allowed"),
        verifiers.judge(spec, Response.of("# a #"), Strictness.STRICT));
    assertTrue(verifiers.benches().contains("mine"));
  }

  /** What a jar on the class path adds. */
  public static final class Provider implements ConstraintTypeProvider {
    @Override
    public String bench() {
      return "provided";
    }

    @Override
    public List<ConstraintType> types(TextTools tools) {
      return List.of(new NoMark("mine:no_hash", "#", "hash sign"));
    }
  }

  @Test
  void typesJoinByServiceLoaderAndByLambda(@TempDir Path folder) throws IOException {
    Path services = Files.createDirectories(folder.resolve("META-INF/services"));
    Files.writeString(
        services.resolve(ConstraintTypeProvider.class.getName()), Provider.class.getName());
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    Verifiers verifiers;
    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()}, before)) {
      thread.setContextClassLoader(loader);
      verifiers =
          Verifiers.builder()
              .rule(
                  "mine",
                  "mine:short",
                  "Be short.",
                  r -> Verdict.of(r.tokens().size() < 3, r.tokens().size() + " words"))
              .build();
    } finally {
      thread.setContextClassLoader(before);
    }
    assertTrue(verifiers.type("provided", "mine:no_hash").isPresent());
    List<ConstraintSpec> specs =
        List.of(
            new ConstraintSpec("provided", "mine:no_hash", Map.of()),
            new ConstraintSpec("mine", "mine:short", Map.of()));
    JudgeList judges = verifiers.judge(specs, Response.of("three # words"));
    assertEquals(
        List.of(Outcome.VIOLATED, Outcome.VIOLATED),
        judges.verdicts().stream().map(Verdict::outcome).toList());
    assertTrue(verifiers.judge(specs, Response.of("two words")).ila());
    assertEquals("Be short.", verifiers.type("mine", "mine:short").get().sentence(Map.of()));
    assertFalse(Verifiers.standard().benches().contains("provided"));
  }
}
