package org.hirengine.cli.demo;

import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The content words of the demo's world, by part of speech.
 *
 * <p>No word contains another, because {@code keywords:existence} and {@code keywords:frequency}
 * look for substrings; none is an abbreviation to a sentence splitter.
 */
final class Lexicon {

  static final List<String> ADJECTIVES =
      List.of(
          "golden", "silent", "gentle", "bitter", "ancient", "hollow", "narrow", "purple", "frozen",
          "humble", "proud", "swift");

  static final List<String> NOUNS =
      List.of(
          "river",
          "forest",
          "castle",
          "garden",
          "winter",
          "summer",
          "dragon",
          "sailor",
          "mountain",
          "candle",
          "harbor",
          "meadow",
          "thunder",
          "lantern",
          "orchard",
          "pilgrim");

  static final List<String> VERBS =
      List.of(
          "sings",
          "waits",
          "falls",
          "drifts",
          "shines",
          "sleeps",
          "wanders",
          "burns",
          "listens",
          "trembles");

  static final List<String> ADVERBS =
      List.of("softly", "slowly", "always", "alone", "again", "tonight");

  /** Every content word, in lower case. */
  static final List<String> CONTENT =
      Stream.of(ADJECTIVES, NOUNS, VERBS, ADVERBS).flatMap(List::stream).toList();

  /** Joins two clauses where a comma does not. */
  static final String AND = "and";

  private Lexicon() {}

  static String title(String word) {
    return word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
  }

  static String upper(String word) {
    return word.toUpperCase(Locale.ROOT);
  }
}
