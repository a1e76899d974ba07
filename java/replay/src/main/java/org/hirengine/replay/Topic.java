package org.hirengine.replay;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.hirengine.verify.rule.FunctionWords;

/**
 * What a text is about: the beginnings of its words of content, which the forms of a word share.
 *
 * @param stems of words that are no function words and do not merely ask ("explain", "following")
 */
public record Topic(Set<String> stems) {

  private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{M}\\p{Nd}]+");

  /** Letters that make a word one of content, at least. */
  private static final int CONTENT = 4;

  private static final int STEM = 5;

  /** Words of requests rather than of what is requested. */
  private static final Set<String> ASKING =
      Set.of(
          "answer",
          "answers",
          "create",
          "describe",
          "example",
          "examples",
          "explain",
          "following",
          "list",
          "please",
          "provide",
          "question",
          "questions",
          "response",
          "sentence",
          "sentences",
          "show",
          "tell",
          "text",
          "word",
          "words",
          "write",
          "writing");

  /** Of a text. */
  public static Topic of(String text) {
    Set<String> stems = new HashSet<>();
    for (String word : words(text)) {
      if (word.length() >= CONTENT && !FunctionWords.contains(word) && !ASKING.contains(word)) {
        String singular = word.endsWith("s") ? word.substring(0, word.length() - 1) : word;
        stems.add(singular.substring(0, Math.min(STEM, singular.length())));
      }
    }
    return new Topic(Set.copyOf(stems));
  }

  /** A text's words in lower case, numbers among them. */
  public static List<String> words(String text) {
    return WORD.matcher(text.toLowerCase(Locale.ROOT)).results().map(MatchResult::group).toList();
  }

  /** Whether they share a word of content. */
  public boolean touches(Topic other) {
    return other.stems.stream().anyMatch(stems::contains);
  }

  /** About both. */
  public Topic and(Topic other) {
    Set<String> both = new HashSet<>(stems);
    both.addAll(other.stems);
    return new Topic(Set.copyOf(both));
  }
}
