package org.hirengine.replay;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.hirengine.text.CodePoints;
import org.hirengine.verify.Response;

/**
 * What a response must be, besides satisfying its rewritten instruction, to be learnt from.
 *
 * <p>A replay is a success whatever the response says, and most constraints hold of runs of markup:
 * "***" has no comma, few sentences and no letters whose language could be wrong. A policy that is
 * taught such responses comes to write nothing else.
 */
public enum Floor {
  /** Anything, as in the paper. */
  NONE {
    @Override
    public boolean admits(String question, Response response) {
      return true;
    }
  },

  /** At least half letters and digits, and long texts do not repeat themselves. */
  PROSE {
    @Override
    public boolean admits(String question, Response response) {
      return mostlyLetters(response.text()) && !repetitive(words(response.text()));
    }
  },

  /** Prose with a word of the request, or in another script than the request's. */
  TOPIC {
    @Override
    public boolean admits(String question, Response response) {
      return PROSE.admits(question, response) && onTopic(question, response.text());
    }
  };

  private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{M}\\p{Nd}]+");

  /** A text of fewer words may repeat them: "yes, yes, yes". */
  private static final int LONG = 20;

  /** Different words of a long text, at least; prose of a few hundred words has about half. */
  private static final double DISTINCT = 0.3;

  /** Letters that make a word one of content, and that two forms of one word share. */
  private static final int CONTENT = 5;

  private static final int STEM = 5;

  /**
   * True where {@code response} may be replayed.
   *
   * @param question the request without its constraints
   */
  public abstract boolean admits(String question, Response response);

  private static boolean mostlyLetters(String text) {
    long visible = text.codePoints().filter(c -> !Character.isWhitespace(c)).count();
    long letters = text.codePoints().filter(Floor::inWord).count();
    return letters > 0 && 2 * letters >= visible;
  }

  private static boolean inWord(int c) {
    return CodePoints.isLetter(c) || Character.isDigit(c);
  }

  private static List<String> words(String text) {
    return WORD.matcher(text.toLowerCase(Locale.ROOT)).results().map(m -> m.group()).toList();
  }

  private static boolean repetitive(List<String> words) {
    return words.size() > LONG && new HashSet<>(words).size() < DISTINCT * words.size();
  }

  private static boolean onTopic(String question, String response) {
    Set<String> asked = stems(question);
    Set<String> answered = stems(response);
    return asked.isEmpty()
        || latin(question) != latin(response)
        || answered.stream().anyMatch(asked::contains);
  }

  /** The beginnings of a text's longer words. */
  private static Set<String> stems(String text) {
    Set<String> stems = new HashSet<>();
    for (String word : words(text)) {
      if (word.length() >= CONTENT) {
        stems.add(word.substring(0, Math.min(STEM, word.length())));
      }
    }
    return stems;
  }

  private static boolean latin(String text) {
    long letters = text.codePoints().filter(Character::isLetter).count();
    long latin =
        text.codePoints()
            .filter(
                c ->
                    Character.isLetter(c)
                        && Character.UnicodeScript.of(c) == Character.UnicodeScript.LATIN)
            .count();
    return 2 * latin > letters;
  }
}
