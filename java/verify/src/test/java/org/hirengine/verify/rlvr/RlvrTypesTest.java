package org.hirengine.verify.rlvr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.hirengine.verify.ConstraintJson;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.Response;
import org.hirengine.verify.Strictness;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifiers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RlvrTypesTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Verifiers VERIFIERS = Verifiers.standard();

  private static Verdict judge(String function, Map<String, Object> kwargs, String response) {
    return VERIFIERS.judge(
        new ConstraintSpec(ConstraintJson.RLVR, function, kwargs),
        Response.of(response),
        Strictness.STRICT);
  }

  /**
   * Verdicts of open-instruct's own functions (commit e6c3044) on random text. Each line has
   * function, kwargs, response and verdict.
   */
  @Test
  void verdictsAreThoseOfTheFunctions() throws IOException {
    List<String> different = new ArrayList<>();
    Set<String> functions = new TreeSet<>();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                RlvrTypesTest.class.getResourceAsStream("functions.jsonl"),
                StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        JsonNode row = JSON.readTree(line);
        String function = row.get("function").asText();
        functions.add(function + row.get("verdict").asBoolean());
        Map<String, Object> kwargs =
            JSON.convertValue(row.get("kwargs"), new TypeReference<Map<String, Object>>() {});
        Verdict verdict = judge(function, kwargs, row.get("response").asText());
        Verdict.Outcome expected =
            row.get("verdict").asBoolean() ? Verdict.Outcome.SATISFIED : Verdict.Outcome.VIOLATED;
        if (verdict.outcome() != expected) {
          different.add(verdict + " " + line);
        }
      }
    }
    assertEquals(List.of(), different.stream().limit(20).collect(Collectors.toList()));
    assertEquals(2 * 24, functions.size(), "both verdicts of every function but the language's");
  }

  @Test
  void thereIsATypeForEachOfThe25() {
    assertEquals(25, VERIFIERS.types(ConstraintJson.RLVR).size());
    for (ConstraintType type : VERIFIERS.types(ConstraintJson.RLVR)) {
      assertTrue(type.id().matches("(verify|validate)_[a-z_]+"), type.id());
    }
  }

  /** Codes are langdetect's own: simplified Chinese is zh-cn. */
  @ParameterizedTest
  @CsvSource({
    "de, Am Morgen ging ich langsam durch den alten Wald., SATISFIED",
    "en, Am Morgen ging ich langsam durch den alten Wald., VIOLATED",
    "zh-cn, 老农慢慢地走过绿色的田野，他的狗对着鸟儿叫。, SATISFIED",
    "zh, 老农慢慢地走过绿色的田野，他的狗对着鸟儿叫。, NO_VERDICT",
    "German, Am Morgen ging ich langsam durch den alten Wald., NO_VERDICT",
    "en, 12345, FAILED",
  })
  void languagesAreDetected(String code, String response, Verdict.Outcome outcome) {
    Verdict verdict = judge("validate_response_language", Map.of("language", code), response);
    assertEquals(outcome, verdict.outcome(), verdict.reason());
  }

  /** Kwargs that make the functions raise, or pass or fail on every text. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "verify_keywords | {'keyword_list':[]} | 'keyword_list' is empty",
        "validate_choice | {'options':'yes or no'} | 'options' must be a list of strings",
        "verify_letter_frequency | {'letter':'ab','N':1} | 'letter' must be a single character",
        "validate_word_constraint | {'N':5,'quantifier':'exactly'} | 'at least' or 'around' or",
        "validate_word_constraint | {'quantifier':'around'} | 'N' is missing",
        "validate_paragraphs | {'N':2,'i':3,'first_word':'a'} | 'i' must be a whole number from 1"
            + " to",
        "validate_end | {'end_phrase':''} | 'end_phrase' is blank",
        "validate_sections | {'N':1,'section_splitter':''} | 'section_splitter' is blank",
      })
  void worthlessKwargsHaveNoVerdict(String function, String kwargs, String why) throws IOException {
    Verdict verdict =
        judge(
            function,
            JSON.readValue(kwargs.replace('\'', '"'), new TypeReference<Map<String, Object>>() {}),
            "Some text.");
    assertEquals(Verdict.Outcome.NO_VERDICT, verdict.outcome());
    assertTrue(verdict.reason().contains(why), verdict.reason());
  }

  @Test
  void sentencesSayWhatIsAsked() throws IOException {
    Map<String, Object> all =
        Map.of(
            "keyword_list",
            List.of("sea"),
            "word",
            "sea",
            "forbidden_words",
            List.of("sand"),
            "letter",
            "s",
            "N",
            3,
            "language",
            "de",
            "quantifier",
            "around",
            "i",
            2);
    Map<String, Object> more =
        Map.of(
            "first_word", "Sea",
            "postscript_marker", "P.S.",
            "options", List.of("yes", "no"),
            "section_splitter", "Part",
            "original_prompt", "Write.",
            "end_phrase", "The end.");
    Map<String, Object> kwargs = new HashMap<>(all);
    kwargs.putAll(more);
    for (ConstraintType type : VERIFIERS.types(ConstraintJson.RLVR)) {
      String sentence = type.sentence(kwargs);
      assertTrue(sentence.matches("[A-Z].*\\."), sentence);
    }
    assertEquals(
        "Write around 3 words.",
        VERIFIERS.type(ConstraintJson.RLVR, "validate_word_constraint").get().sentence(kwargs));
  }
}
