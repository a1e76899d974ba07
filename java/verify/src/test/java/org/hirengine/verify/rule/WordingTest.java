package org.hirengine.verify.rule;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashSet;
import java.util.List;
import java.util.SplittableRandom;
import org.hirengine.verify.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Words for reasons and sentences, and those that constraints are made of. */
class WordingTest {

  @Test
  void countsAndLists() {
    assertEquals("0 words", Wording.count(0, "word"));
    assertEquals("1 word", Wording.count(1, "word"));
    assertEquals("2 words", Wording.count(2, "word"));
    assertEquals("1 copy", Wording.count(1, "copy", "copies"));
    assertEquals("0 copies", Wording.count(0, "copy", "copies"));
    assertEquals("", Wording.list(List.of()));
    assertEquals("\"a\"", Wording.list(List.of("a")));
    assertEquals("\"a\" and \"b\"", Wording.list(List.of("a", "b")));
    assertEquals("\"a\", \"b\" and \"c\"", Wording.list(List.of("a", "b", "c")));
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0.0%",
    "100, 100.0%",
    "37.44, 37.4%",
    "37.45, 37.5%",
    "9.96, 10.0%",
    "0.04, 0.0%"
  })
  void percentsHaveOneDecimal(double share, String text) {
    assertEquals(text, Wording.percent(share));
  }

  /** Sixty characters stay, whole ones; a longer value is cut. */
  @Test
  void longValuesAreCut() {
    for (String letter : List.of("a", "\uD83D\uDE00")) {
      assertEquals("'" + letter.repeat(60) + "'", Wording.brief(letter.repeat(60)));
      assertEquals("'" + letter.repeat(60) + "...'", Wording.brief(letter.repeat(61)));
    }
    assertEquals("'null'", Wording.brief(null));
  }

  /** A part at either end may be empty, since a text may begin or end with a divider. */
  @ParameterizedTest
  @CsvSource({
    "'one', 1",
    "'one***two', 2",
    "'***one *** two***', 2",
    "' ***\none***two*** ', 2",
    "'one******two', -1",
    "'one*** \n ***two', -1",
    "'******', -1",
    "'***', 0",
    "'', 0",
    "' ', 0",
  })
  void paragraphsBetweenDividers(String text, int count) {
    assertEquals(count, Paragraphs.count(text, "***"));
  }

  @Test
  void reasonsOfParagraphs() {
    assertEquals("1 paragraph, exactly 2 asked", Paragraphs.reason(1, 2));
    assertEquals("0 paragraphs, exactly 2 asked", Paragraphs.reason(0, 2));
    assertEquals("a paragraph between two dividers is empty", Paragraphs.reason(-1, 2));
  }

  @Test
  void sampledWordsDiffer() {
    for (int n : new int[] {0, 1, 20}) {
      for (int seed = 0; seed < 50; seed++) {
        List<String> words = WordPool.sample(new SplittableRandom(seed), n);
        assertEquals(n, words.size());
        assertEquals(n, new HashSet<>(words).size(), words::toString);
      }
    }
  }

  /** Three ASCII letters or more, no function word, each once, in the order of the text. */
  @Test
  void keywordsOfAResponse() {
    Response response =
        Response.of("The SEA and the sky: seas, a fog, ok? Café, x2y, naïve zoo. Sea; abz");
    assertEquals(List.of("sea", "sky", "seas", "fog", "zoo", "abz"), WordPool.keywords(response));
    assertEquals(List.of("sky", "seas", "fog", "zoo", "abz"), WordPool.occurring(response, 1));
    assertEquals(List.of("sea"), WordPool.occurring(response, 3), "also within words");
    assertEquals(List.of(), WordPool.occurring(response, 2));
  }
}
