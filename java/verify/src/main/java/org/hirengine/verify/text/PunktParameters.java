package org.hirengine.verify.text;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.hirengine.text.PyText;

/**
 * What Punkt learned of a language (Kiss and Strunk, 2006).
 *
 * @param abbreviations types that end in a period without ending a sentence, the period left off
 * @param collocations pairs "type\ttype" around a period that does not end a sentence
 * @param starters types that often begin a sentence
 * @param contexts for each type the orthographic contexts it was seen in, a sum of the flags
 */
public record PunktParameters(
    Set<String> abbreviations,
    Set<String> collocations,
    Set<String> starters,
    Map<String, Integer> contexts) {

  /** Seen in upper case at a sentence's beginning. */
  public static final int BEGIN_UPPER = 1 << 1;

  /** Seen in upper case within a sentence. */
  public static final int MIDDLE_UPPER = 1 << 2;

  /** Seen in upper case where a sentence may begin. */
  public static final int UNKNOWN_UPPER = 1 << 3;

  /** Seen in lower case at a sentence's beginning. */
  public static final int BEGIN_LOWER = 1 << 4;

  /** Seen in lower case within a sentence. */
  public static final int MIDDLE_LOWER = 1 << 5;

  /** Seen in lower case where a sentence may begin. */
  public static final int UNKNOWN_LOWER = 1 << 6;

  static final int ANY_UPPER = BEGIN_UPPER | MIDDLE_UPPER | UNKNOWN_UPPER;
  static final int ANY_LOWER = BEGIN_LOWER | MIDDLE_LOWER | UNKNOWN_LOWER;

  private static final String[] FILES = {
    "abbrev_types.txt", "collocations.tab", "sent_starters.txt", "ortho_context.tab"
  };

  /**
   * Reads a folder in the layout of NLTK's {@code tokenizers/punkt_tab/english}.
   *
   * @throws IOException naming the file that is missing or the line that cannot be read
   */
  public static PunktParameters read(Path folder) throws IOException {
    Set<String> abbreviations = new HashSet<>(lines(folder.resolve(FILES[0])));
    Set<String> collocations = new HashSet<>(lines(folder.resolve(FILES[1])));
    Set<String> starters = new HashSet<>(lines(folder.resolve(FILES[2])));
    Path contextFile = folder.resolve(FILES[3]);
    Map<String, Integer> contexts = new HashMap<>();
    int number = 0;
    for (String line : lines(contextFile)) {
      number++;
      int tab = line.indexOf('\t');
      try {
        contexts.put(line.substring(0, tab), Integer.parseInt(line.substring(tab + 1).strip()));
      } catch (IndexOutOfBoundsException | NumberFormatException e) {
        throw new IOException(
            contextFile + ", line " + number + ": expected a type, a tab and a number", e);
      }
    }
    return new PunktParameters(abbreviations, collocations, starters, contexts);
  }

  private static List<String> lines(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new IOException("Punkt file not found: " + file);
    }
    return Files.readAllLines(file, StandardCharsets.UTF_8).stream()
        .filter(line -> !line.isEmpty())
        .toList();
  }

  /**
   * A parameter set of our own for English, used where NLTK's is not installed: common
   * abbreviations, and words that are usually in lower case (so that a capital indicates the start
   * of a sentence).
   */
  public static PunktParameters builtIn() {
    return BuiltIn.PARAMETERS;
  }

  private static final class BuiltIn {
    static final PunktParameters PARAMETERS = load();

    private static PunktParameters load() {
      Set<String> abbreviations = new HashSet<>();
      Set<String> starters = new HashSet<>();
      Map<String, Integer> contexts = new HashMap<>();
      String section = "";
      try (InputStream in = PunktParameters.class.getResourceAsStream("punkt-english.txt");
          BufferedReader reader =
              new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
        for (String line; (line = reader.readLine()) != null; ) {
          if (line.startsWith("[")) {
            section = line;
          } else if (!line.startsWith("#")) {
            for (String word : PyText.split(line)) {
              switch (section) {
                case "[abbreviations]" -> abbreviations.add(word);
                case "[starters]" -> {
                  starters.add(word);
                  contexts.merge(word, BEGIN_UPPER | MIDDLE_LOWER, (a, b) -> a | b);
                }
                case "[lower]" -> contexts.merge(word, BEGIN_UPPER | MIDDLE_LOWER, (a, b) -> a | b);
                case "[upper]" -> contexts.merge(word, MIDDLE_UPPER, (a, b) -> a | b);
                default -> throw new IllegalStateException("punkt-english.txt: " + section);
              }
            }
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return new PunktParameters(abbreviations, Set.of(), starters, contexts);
    }
  }
}
