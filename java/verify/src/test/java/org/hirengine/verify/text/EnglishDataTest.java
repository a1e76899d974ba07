package org.hirengine.verify.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.hirengine.testing.SharedData;
import org.hirengine.text.CodePoints;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tagger, syllables, stop words and emoji: the readers, and the accuracy of the built-ins. */
class EnglishDataTest {

  private static final String MODEL = "averaged_perceptron_tagger_eng";

  @TempDir Path folder;

  private void model(String weights, String tagdict, String classes) throws IOException {
    Files.writeString(folder.resolve(MODEL + ".weights.json"), weights);
    Files.writeString(folder.resolve(MODEL + ".tagdict.json"), tagdict);
    Files.writeString(folder.resolve(MODEL + ".classes.json"), classes);
  }

  /** Every feature of NLTK's tagger decides one of these tags, which were worked out by hand. */
  @Test
  void perceptronTaggerSumsItsFeatures() throws IOException {
    model(
        """
        {"bias": {"NN": 0.5},
         "i suffix ing": {"VBG": 2.0},
         "i pref1 \\u00c9": {"NNP": 3.0},
         "i-1 tag -START-": {"NN": 0.25},
         "i tag+i-2 tag DT -START-": {"JJ": 1.0},
         "i word !YEAR": {"CD": 4.0},
         "i word !DIGITS": {"CD": 4.0},
         "i word !HYPHEN": {"JJ": 4.0},
         "i-1 tag+i word DT run": {"NN": 5.0},
         "i word run": {"VB": 5.25},
         "i-1 word the": {"NN": 0.5},
         "i-1 suffix the": {"NN": 0.5},
         "i-2 word -START2-": {"JJ": 0.1},
         "i+1 word -END-": {"VB": 0.1},
         "i+1 suffix ast": {"VB": 1.5},
         "i+2 word -END2-": {"UH": 0.1}}
        """,
        "{\"the\": \"DT\", \"fast\": \"RB\"}",
        "[\"VB\", \"NN\", \"VBG\", \"NNP\", \"JJ\", \"CD\", \"DT\", \"RB\", \"UH\"]");
    PerceptronTagger tagger = PerceptronTagger.read(folder);
    assertEquals(List.of("VBG"), tagger.tag(List.of("Running")));
    assertEquals(List.of("NNP"), tagger.tag(List.of("\u00C9tude")));
    assertEquals(List.of("DT", "NN"), tagger.tag(List.of("the", "run")));
    assertEquals(List.of("DT", "VB", "RB"), tagger.tag(List.of("the", "run", "fast")));
    assertEquals(List.of("VB", "NN"), tagger.tag(List.of("Run", "The")));
    assertEquals(List.of("CD"), tagger.tag(List.of("1999")));
    assertEquals(List.of("CD"), tagger.tag(List.of("3rd")));
    assertEquals(List.of("JJ"), tagger.tag(List.of("half-made")));
    assertEquals(List.of("NN"), tagger.tag(List.of("-x")));
    assertEquals("VB", tagger.firstTag(List.of("run", "fast", "the", "run", "run")));
  }

  @Test
  void equalScoresGoToTheLastClass() throws IOException {
    model("{\"bias\": {\"A\": 1.0, \"C\": 1.0}}", "{}", "[\"C\", \"A\", \"B\"]");
    assertEquals("C", PerceptronTagger.read(folder).firstTag(List.of("x")));
    model("{}", "{}", "[\"C\", \"A\", \"D\"]");
    assertEquals("D", PerceptronTagger.read(folder).firstTag(List.of("x")));
  }

  @Test
  void brokenModelsNameTheFile() throws IOException {
    IOException missing = assertThrows(IOException.class, () -> PerceptronTagger.read(folder));
    assertTrue(missing.getMessage().contains(MODEL + ".classes.json"), missing.getMessage());
    model("{\"bias\": {\"X\": 1.0}}", "{}", "[\"A\"]");
    IOException unknown = assertThrows(IOException.class, () -> PerceptronTagger.read(folder));
    assertTrue(unknown.getMessage().contains("'X' is none of the classes"), unknown.getMessage());
    model("[]", "{}", "[\"A\"]");
    assertThrows(IOException.class, () -> PerceptronTagger.read(folder));
  }

  @Test
  void lexiconKnowsVerbsByTheirForms() {
    LexiconTagger tagger = new LexiconTagger();
    for (String verb : List.of("Write", "is", "Exploring", "decided", "carried", "Stopped")) {
      assertTrue(tagger.firstTag(List.of(verb)).startsWith("VB"), verb);
    }
    for (String other : List.of("The", "Morning", "WRITE", "Certainly", "*", "Red", "ed", "1")) {
      assertFalse(tagger.firstTag(List.of(other)).startsWith("VB"), other);
    }
  }

  /** The rule's accuracy on the words of the list, which are the irregular ones. */
  @Test
  void syllablesByListAndByRule() throws IOException {
    Path list = SharedData.require("conformance/resources/syllapy_0.7.2_words.csv");
    Syllables listed = Syllables.read(list);
    Syllables rule = Syllables.builtIn();
    int words = 0;
    int equal = 0;
    for (String line : Files.readAllLines(list)) {
      String word = line.substring(0, line.lastIndexOf(','));
      int count = Integer.parseInt(line.substring(word.length() + 1));
      if (word.chars().noneMatch(Character::isDigit)) {
        assertEquals(count, listed.count(word), word);
        words++;
        equal += rule.count(word) == count ? 1 : 0;
      }
    }
    assertTrue(equal > 0.86 * words, equal + " of " + words);
    SharedData.counted("syllables", words);
  }

  @Test
  void syllablesByRuleAlone() {
    Syllables rule = Syllables.builtIn();
    assertEquals(3, rule.count("banana"));
    assertEquals(2, rule.count("table"));
    assertEquals(1, rule.count("tale"));
    assertEquals(1, rule.count("rhythm"), "y is a vowel");
    assertEquals(1, rule.count("hmm"));
    assertEquals(1, rule.count("the"));
    assertEquals(0, rule.count("b2b"));
  }

  @Test
  void syllableListErrorsNameTheLine() throws IOException {
    Path file = Files.writeString(folder.resolve("words.csv"), "area,3\nidea\n");
    IOException e = assertThrows(IOException.class, () -> Syllables.read(file));
    assertTrue(e.getMessage().contains("line 2"), e.getMessage());
  }

  /** Words with apostrophes never equal a token, so they do not count. */
  @Test
  void stopWordsByListAndBuiltIn() throws IOException {
    Path file = SharedData.require("conformance/resources/stopwords_english.txt");
    Set<String> listed =
        StopWords.read(file).stream()
            .filter(word -> word.indexOf('\'') < 0)
            .collect(Collectors.toSet());
    assertTrue(listed.size() > 100);
    long shared = StopWords.builtIn().stream().filter(listed::contains).count();
    assertTrue(shared >= 0.95 * listed.size(), shared + " of " + listed.size());
    assertTrue(shared >= 0.95 * StopWords.builtIn().size());
    SharedData.counted("stop words", listed.size());
  }

  @Test
  void trigramsAreASet() {
    RandomGenerator random = new SplittableRandom(1);
    for (int i = 0; i < 300; i++) {
      String a = letters(random);
      String b = letters(random);
      Set<String> shared = trigrams(a);
      Trigrams own = Trigrams.of(CodePoints.of(a));
      assertEquals(shared.size(), own.size(), a);
      shared.retainAll(trigrams(b));
      assertEquals(shared.size(), own.shared(Trigrams.of(CodePoints.of(b))), a + "|" + b);
    }
  }

  private static String letters(RandomGenerator random) {
    StringBuilder text = new StringBuilder();
    for (int n = random.nextInt(80); n > 0; n--) {
      text.appendCodePoint(new int[] {0, 'a', 'b', 0xD800, 0x1F600, 0x10FFFF}[random.nextInt(6)]);
    }
    return text.toString();
  }

  private static Set<String> trigrams(String text) {
    int[] points = text.codePoints().toArray();
    Set<String> found = new HashSet<>();
    for (int i = 0; i + 2 < points.length; i++) {
      found.add(points[i] + " " + points[i + 1] + " " + points[i + 2]);
    }
    return found;
  }

  @Test
  void emojiOfOneCodePoint() throws IOException {
    Set<Integer> expected =
        Files.readAllLines(SharedData.require("conformance/resources/emoji_single_codepoints.txt"))
            .stream()
            .map(line -> Integer.parseInt(line.strip(), 16))
            .collect(Collectors.toSet());
    for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
      assertEquals(expected.contains(c), Emoji.isEmoji(c), Integer.toHexString(c));
    }
    SharedData.counted("emoji", expected.size());
  }
}
