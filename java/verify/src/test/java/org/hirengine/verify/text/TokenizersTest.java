package org.hirengine.verify.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizersTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final PunktParameters PARAMETERS =
      new PunktParameters(
          Set.of("dr", "mr", "e.g", "p.m", "u.s", "ph.d", "prof", "inc", "a", "j.r", "etc", "x.y"),
          Set.of("##number##\tthe", "u.s\the", "a\tb"),
          Set.of("this", "hello"),
          Map.of(
              "the", PunktParameters.BEGIN_UPPER | PunktParameters.MIDDLE_LOWER,
              "he",
                  PunktParameters.BEGIN_UPPER
                      | PunktParameters.MIDDLE_UPPER
                      | PunktParameters.MIDDLE_LOWER,
              "world", PunktParameters.BEGIN_LOWER | PunktParameters.MIDDLE_LOWER,
              "hello", PunktParameters.UNKNOWN_UPPER | PunktParameters.UNKNOWN_LOWER,
              "b", PunktParameters.MIDDLE_UPPER,
              "she", PunktParameters.BEGIN_UPPER | PunktParameters.UNKNOWN_LOWER,
              "can", PunktParameters.BEGIN_LOWER,
              "a",
                  PunktParameters.BEGIN_UPPER
                      | PunktParameters.BEGIN_LOWER
                      | PunktParameters.MIDDLE_LOWER));

  /**
   * nltk-tokens.jsonl has the results of NLTK 3.10.3's Punkt (with the parameters above) and word
   * tokenizer, and of the references' rule-based splitter, on texts of awkward pieces.
   */
  @Test
  void sentencesAndTokensAreNltks() throws IOException {
    Punkt punkt = new Punkt(PARAMETERS);
    WordTokenizer tokenizer = new WordTokenizer(punkt);
    int cases = 0;
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                TokenizersTest.class.getResourceAsStream("nltk-tokens.jsonl"),
                StandardCharsets.UTF_8))) {
      for (String line; (line = reader.readLine()) != null; cases++) {
        JsonNode expected = JSON.readTree(line);
        String text = expected.get("text").asText();
        assertEquals(strings(expected.get("sentences")), punkt.sentences(text), text);
        assertEquals(strings(expected.get("tokens")), tokenizer.tokens(text), text);
        if (expected.has("pieces")) {
          assertEquals(strings(expected.get("pieces")), SentenceSplitter.split(text), text);
        }
      }
    }
    assertTrue(cases > 300, cases + " cases");
  }

  private static List<String> strings(JsonNode list) {
    return JSON.convertValue(
        list, JSON.getTypeFactory().constructCollectionType(List.class, String.class));
  }

  @Test
  void builtInParametersServeEverydayEnglish() {
    Punkt punkt = new Punkt(PunktParameters.builtIn());
    assertEquals(
        List.of(
            "Dr. Smith of Acme Corp. met Mrs. Jones at 3 p.m. in the U.S. embassy.",
            "They talked!",
            "\"Did they?\"",
            "Yes."),
        punkt.sentences(
            "Dr. Smith of Acme Corp. met Mrs. Jones at 3 p.m. in the U.S. embassy. They"
                + " talked! \"Did they?\" Yes."));
  }

  @Test
  void unreadableParametersNameFileAndLine(@TempDir Path folder) throws IOException {
    IOException missing = assertThrows(IOException.class, () -> PunktParameters.read(folder));
    assertTrue(missing.getMessage().contains("abbrev_types.txt"), missing.getMessage());
    for (String name : List.of("abbrev_types.txt", "collocations.tab", "sent_starters.txt")) {
      Files.writeString(folder.resolve(name), "x\n");
    }
    Files.writeString(folder.resolve("ortho_context.tab"), "the\t34\nof thirty\n");
    IOException bad = assertThrows(IOException.class, () -> PunktParameters.read(folder));
    assertTrue(bad.getMessage().contains("ortho_context.tab, line 2"), bad.getMessage());
  }

  /** Labels from Python's langdetect 1.0.9 with seed 0. */
  @Test
  void languagesAreTheReferences() {
    LanguageDetector detector = LanguageDetector.instance();
    assertEquals("en", detector.detect("The quick brown fox jumps over the lazy dog.").get());
    assertEquals("de", detector.detect("Der schnelle braune Fuchs springt.").get());
    assertEquals("fr", detector.detect("Il fait beau et je vais au marché.").get());
    assertEquals("ja", detector.detect("今日は天気がいいですね。").get());
    assertEquals("hi", detector.detect("आज मौसम बहुत अच्छा है।").get());
    assertTrue(detector.detect("12345 !?").isEmpty());
    assertTrue(detector.detect("").isEmpty());
  }

  /** Texts that mix scripts and languages, often with Korean, Catalan and Welsh. */
  @Test
  void languagesOfMixedTextsAreTheReferences() throws IOException {
    Path file = SharedData.require("conformance/languages.own.jsonl.gz");
    int cases = 0;
    try (InputStream in = new GZIPInputStream(Files.newInputStream(file));
        MappingIterator<JsonNode> lines = JSON.readerFor(JsonNode.class).readValues(in)) {
      while (lines.hasNext()) {
        JsonNode line = lines.next();
        String text = line.get("text").asText();
        Optional<String> language = Optional.ofNullable(line.get("language").textValue());
        assertEquals(language, LanguageDetector.instance().detect(text), text);
        cases++;
      }
    }
    SharedData.counted("languages", cases);
  }
}
