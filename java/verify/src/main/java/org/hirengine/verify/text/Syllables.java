package org.hirengine.verify.text;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.hirengine.text.PyChars;

/**
 * Syllables of an English word as the syllapy package counts them: by a list of words, and by
 * groups of vowels if the word is not in it.
 */
public final class Syllables {

  private static final String VOWELS = "aeiouy";

  private final Map<String, Integer> known;

  private Syllables(Map<String, Integer> known) {
    this.known = known;
  }

  /** The rule alone. */
  public static Syllables builtIn() {
    return new Syllables(Map.of());
  }

  /**
   * With syllapy's list: lines of {@code word,count}.
   *
   * @throws IOException if the file cannot be read or a line has another form
   */
  public static Syllables read(Path file) throws IOException {
    Map<String, Integer> known = new HashMap<>();
    try (BufferedReader lines = Files.newBufferedReader(file)) {
      int number = 0;
      for (String line; (line = lines.readLine()) != null; ) {
        number++;
        int comma = line.lastIndexOf(',');
        try {
          if (!line.isBlank()) {
            known.put(line.substring(0, comma), Integer.valueOf(line.substring(comma + 1).strip()));
          }
        } catch (IndexOutOfBoundsException | NumberFormatException e) {
          throw new IOException(
              file + ", line " + number + ": '" + line + "' is not a word, a comma and a number",
              e);
        }
      }
    }
    return new Syllables(Map.copyOf(known));
  }

  /**
   * The syllables of a word in lower case without punctuation: at least 1, and 0 for a word with a
   * digit.
   */
  public int count(String word) {
    if (word.codePoints().anyMatch(PyChars::isDigit)) {
      return 0;
    }
    int listed = known.getOrDefault(word, 0);
    return listed != 0 ? listed : byRule(word);
  }

  /** Groups of vowels, without a silent e at the end but with a syllabic -le. */
  private static int byRule(String word) {
    int count = 0;
    boolean vowelBefore = false;
    for (int i = 0; i < word.length(); i++) {
      boolean vowel = isVowel(word, i);
      if (vowel && !vowelBefore) {
        count++;
      }
      vowelBefore = vowel;
    }
    int n = word.length();
    if (word.endsWith("e")) {
      count--;
      if (n > 2 && word.charAt(n - 2) == 'l' && !isVowel(word, n - 3)) {
        count++;
      }
    }
    return Math.max(count, 1);
  }

  private static boolean isVowel(String word, int i) {
    return VOWELS.indexOf(word.charAt(i)) >= 0;
  }
}
