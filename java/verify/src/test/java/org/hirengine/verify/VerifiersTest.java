package org.hirengine.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.hirengine.verify.Verdict.Outcome;
import org.hirengine.verify.rule.NoMark;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

  /** Each with the expected message. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "ifeval | length_constraints:number_words | {'num_words':'40','relation':'at least'} |"
            + " 'num_words' must be a whole number from 0, not the string '40'",
        "ifeval | length_constraints:number_words | {'num_words':40,'relation':'at most'} |"
            + " 'relation' must be 'less than' or 'at least', not 'at most'",
        "ifeval | length_constraints:number_words | {'num_word':40,'relation':'at least'} |"
            + " 'num_words' is missing, it must be a whole number from 0 (there is a 'num_word')",
        "ifeval | length_constraints:nth_paragraph_first_word | {'num_paragraphs':2,'first_word':"
            + "'a'} | 'nth_paragraph' is missing, it must be a whole number from 1 to 2",
        "ifeval | length_constraints:nth_paragraph_first_word |"
            + " {'num_paragraphs':2,'first_word':'a','nth_paragraph':3} | 'nth_paragraph' must be a"
            + " whole number from 1 to 2, not '3'",
        "ifeval | keywords:existence | {'keywords':[]} | 'keywords' is empty, it must be a list of",
        "ifeval | keywords:forbidden_words | {'forbidden_words':['a','']} | none of them blank",
        "ifeval | keywords:letter_frequency | {'letter':'ab','let_frequency':1,'let_relation':"
            + "'at least'} | 'letter' must be a single character, not 'ab'",
        "ifeval | startend:end_checker | {'end_phrase':' '} | 'end_phrase' is blank, it must be a",
        "ifeval | language:response_language | {'language':'English'} | a code such as 'en', not",
        "ifeval | language:response_language | {'language':'zh-cn'} | a code such as 'zh', not",
        "ifeval | language:response_language | {'language':'pt_BR'} | a code such as 'pt', not",
        "ifeval | language:response_language | {'language':'Deutsch'} | a code such as 'de', not",
        "ifeval | language:response_language | {'language':'Spansh'} | a code such as 'es', not",
        "ifeval | language:response_language | {'language':'jpn'} | a code such as 'ja', not",
        "ifeval | language:response_language | {'language':'Klingon'} | one of the codes af, ar,",
        "ifbench | count:word_count_range | {'min_words':50,'max_words':20} | 'max_words' must be a"
            + " whole number from 50, not '20'",
        "ifbench | ratio:stop_words | {'percentage':101} | from 0 to 100, not '101'",
        "ifbench-r2 | repeat:repeat_span | {'prompt_to_repeat':'a b c','n_start':2,'n_end':1} |"
            + " 'n_end' must be a whole number from 2, not '1'",
        "iftrain | new:copy_span_idx | {'prompt_to_repeat':'a b c','n_start':2,'n_end':1} |"
            + " 'n_end' must be a whole number from 2, not '1'",
        "ifeval | length_constraint:number_words | {} | unknown constraint id"
            + " 'length_constraint:number_words' of ifeval, did you mean"
            + " 'length_constraints:number_words'?",
        "ifeval | Punctuation:no-comma | {} | did you mean 'punctuation:no_comma'?",
        "muldimif | punctuation:no_coma | {} | did you mean 'punctuation:no_comma'?",
        "ifeval | count:numbers | {} | it is one of ifbench, ifbench-r2",
        "ifeval | no:such_thing | {} | unknown constraint id 'no:such_thing' of ifeval",
        "ifevil | punctuation:no_comma | {} | unknown benchmark 'ifevil', known are ifeval,"
            + " iftrain",
        "judge | judge:criterion | {'criterion':'c'} | no judge is set: give HIR_JUDGE_URL and",
      })
  void whatCanNeverBeCheckedSaysWhyAndWhatIsMeant(
      String bench, String id, String kwargs, String reason) throws IOException {
    Map<String, Object> values =
        new ObjectMapper()
            .readValue(kwargs.replace('\'', '"'), new TypeReference<Map<String, Object>>() {});
    Verdict verdict =
        Verifiers.standard()
            .judge(new ConstraintSpec(bench, id, values), Response.of("a b"), Strictness.LOOSE);
    assertEquals(Outcome.NO_VERDICT, verdict.outcome());
    assertTrue(verdict.reason().contains(reason), verdict.reason());
    assertFalse(verdict.reason().contains("there is a 'num_paragraphs'"), "it has its own use");
  }

  /** Whatever a rule does, its verdict is "failed". */
  @Test
  void judgingNeverThrows() throws IOException {
    Verifiers verifiers =
        Verifiers.builder()
            .rule("mine", "none", "x.", r -> null)
            .rule("mine", "error", "x.", r -> fail("an AssertionError"))
            .rule("mine", "deep", "x.", r -> deeper(r, 0))
            .rule(
                "mine",
                "linkage",
                "x.",
                r -> {
                  throw new NoSuchMethodError("old jar");
                })
            .rule(
                "mine",
                "memory",
                "x.",
                r -> {
                  throw new OutOfMemoryError("test");
                })
            .type("mine", unparsable("nothing", kwargs -> null))
            .type(
                "mine",
                unparsable(
                    "throws",
                    kwargs -> {
                      throw new StackOverflowError();
                    }))
            .build();
    Response response = Response.of("some text");
    Map<String, String> reasons =
        Map.of(
            "none", "no verdict",
            "error", "an AssertionError",
            "deep", "StackOverflowError",
            "linkage", "old jar");
    reasons.forEach(
        (id, reason) -> {
          ConstraintSpec spec = new ConstraintSpec("mine", id, Map.of());
          for (Verdict verdict :
              List.of(
                  verifiers.judge(spec, response, Strictness.LOOSE),
                  verifiers.judgeBoth(List.of(spec), response).loose().verdicts().get(0))) {
            assertEquals(Outcome.FAILED, verdict.outcome(), id);
            assertTrue(verdict.reason().contains(reason), verdict.reason());
          }
        });
    assertEquals(2L, verifiers.failures().get("mine/none"));
    for (String id : List.of("nothing", "throws")) {
      Verdict verdict =
          verifiers.judge(new ConstraintSpec("mine", id, Map.of()), response, Strictness.STRICT);
      assertEquals(Outcome.NO_VERDICT, verdict.outcome(), id);
    }
    ConstraintSpec memory = new ConstraintSpec("mine", "memory", Map.of());
    assertThrows(
        OutOfMemoryError.class, () -> verifiers.judge(memory, response, Strictness.STRICT));
  }

  private static Verdict deeper(Response response, int depth) {
    return depth < 0 ? Verdict.satisfied("") : deeper(response, depth + 1);
  }

  private static ConstraintType unparsable(String id, Function<Map<String, Object>, Verifier> how) {
    return new ConstraintType() {
      @Override
      public String id() {
        return id;
      }

      @Override
      public Verifier parse(Map<String, Object> kwargs) {
        return how.apply(kwargs);
      }

      @Override
      public String sentence(Map<String, Object> kwargs) {
        return "x.";
      }
    };
  }

  @Test
  void aResponseNeedsAText() {
    Exception e = assertThrows(NullPointerException.class, () -> Response.of(null));
    assertTrue(e.getMessage().contains("text of a response is null"), e.getMessage());
  }

  @Test
  void constraintsTooLongToReadHaveNoVerdict() {
    ConstraintSpec endless =
        new ConstraintSpec(
            "muldimif", "Format_Table", Map.of("constraint", "exactly ".repeat(5_000)));
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

  /** A provider that a jar on the class path adds. */
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
