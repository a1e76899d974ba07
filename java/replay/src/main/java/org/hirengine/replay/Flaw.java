package org.hirengine.replay;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import org.hirengine.text.CodePoints;
import org.hirengine.verify.Response;

/**
 * What makes a response unsound, whatever constraints it satisfies: most of them also hold of text
 * that says nothing. "***" has no comma, few sentences and no letters whose language could be
 * wrong.
 */
public enum Flaw {
  /** Nothing but white space. */
  EMPTY,
  /** Less than half letters and digits. */
  MARKUP,
  /** A long text of which fewer than three in ten words differ. */
  REPETITION,
  /** No word of content in common with the request, and in the same script. */
  OFF_TOPIC;

  /** A text of fewer words may repeat them: "yes, yes, yes". */
  private static final int LONG = 20;

  /** Different words of a long text, at least; prose of a few hundred words has about half. */
  private static final double DISTINCT = 0.3;

  /**
   * The first flaw of a response, in the order of the constants; empty where it is sound.
   *
   * @param question the request without its constraints
   */
  public static Optional<Flaw> of(String question, Response response) {
    String text = response.text();
    if (response.isBlank()) {
      return Optional.of(EMPTY);
    }
    if (!mostlyLetters(text)) {
      return Optional.of(MARKUP);
    }
    if (repetitive(Topic.words(text))) {
      return Optional.of(REPETITION);
    }
    return onTopic(question, text) ? Optional.empty() : Optional.of(OFF_TOPIC);
  }

  private static boolean mostlyLetters(String text) {
    long visible = text.codePoints().filter(c -> !Character.isWhitespace(c)).count();
    return 2 * text.codePoints().filter(Flaw::inWord).count() >= visible;
  }

  private static boolean inWord(int c) {
    return CodePoints.isLetter(c) || Character.isDigit(c);
  }

  private static boolean repetitive(List<String> words) {
    return words.size() > LONG && new HashSet<>(words).size() < DISTINCT * words.size();
  }

  private static boolean onTopic(String question, String response) {
    Topic asked = Topic.of(question);
    return asked.stems().isEmpty()
        || asked.touches(Topic.of(response))
        || (latin(question) && otherScript(response))
        || (otherScript(question) && latin(response));
  }

  private static boolean latin(String text) {
    long letters = text.codePoints().filter(Character::isLetter).count();
    return 2 * text.codePoints().filter(Flaw::isLatinLetter).count() > letters;
  }

  /** Where there are no letters there is no script. */
  private static boolean otherScript(String text) {
    return !latin(text) && text.codePoints().anyMatch(Character::isLetter);
  }

  private static boolean isLatinLetter(int c) {
    return Character.isLetter(c) && Character.UnicodeScript.of(c) == Character.UnicodeScript.LATIN;
  }
}
