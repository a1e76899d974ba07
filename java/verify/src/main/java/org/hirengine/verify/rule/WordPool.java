package org.hirengine.verify.rule;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.KeywordPattern;
import org.hirengine.verify.Response;

/** Words for keyword constraints: drawn from a list of common nouns, or found in a response. */
public final class WordPool {

  private static final List<String> COMMON =
      List.of(
          "anchor",
          "apple",
          "autumn",
          "balance",
          "basket",
          "beacon",
          "bicycle",
          "blossom",
          "bottle",
          "branch",
          "bridge",
          "bucket",
          "button",
          "cabin",
          "camera",
          "candle",
          "canyon",
          "carpet",
          "castle",
          "chapter",
          "cherry",
          "circle",
          "climate",
          "cloud",
          "coast",
          "coffee",
          "compass",
          "copper",
          "corner",
          "cotton",
          "cradle",
          "crystal",
          "dawn",
          "desert",
          "diamond",
          "doctor",
          "dragon",
          "eagle",
          "echo",
          "engine",
          "evening",
          "fabric",
          "falcon",
          "farmer",
          "feather",
          "festival",
          "field",
          "finger",
          "flame",
          "flower",
          "forest",
          "fountain",
          "friend",
          "garden",
          "glacier",
          "glass",
          "golden",
          "gravity",
          "guitar",
          "harbor",
          "harvest",
          "history",
          "honey",
          "horizon",
          "island",
          "jacket",
          "journey",
          "kettle",
          "kitchen",
          "ladder",
          "lantern",
          "lemon",
          "letter",
          "library",
          "light",
          "machine",
          "marble",
          "market",
          "meadow",
          "memory",
          "mirror",
          "moment",
          "morning",
          "mountain",
          "music",
          "needle",
          "northern",
          "ocean",
          "orchard",
          "paper",
          "pattern",
          "pebble",
          "pepper",
          "planet",
          "pocket",
          "prairie",
          "puzzle",
          "quarry",
          "rainbow",
          "ribbon",
          "river",
          "rocket",
          "saddle",
          "sailor",
          "school",
          "season",
          "shadow",
          "shelter",
          "signal",
          "silver",
          "spring",
          "station",
          "stone",
          "storm",
          "story",
          "summer",
          "sunset",
          "teacher",
          "temple",
          "thunder",
          "ticket",
          "timber",
          "travel",
          "tunnel",
          "valley",
          "velvet",
          "village",
          "violin",
          "voyage",
          "wagon",
          "water",
          "whisper",
          "willow",
          "window",
          "winter",
          "wisdom",
          "yellow");

  private WordPool() {}

  /** {@code n} different words, n at most 20. */
  public static List<String> sample(RandomGenerator random, int n) {
    List<String> words = new ArrayList<>(n);
    while (words.size() < n) {
      String word = COMMON.get(random.nextInt(COMMON.size()));
      if (!words.contains(word)) {
        words.add(word);
      }
    }
    return words;
  }

  /**
   * The different words of a response that make sensible keywords, in lower case and in order:
   * ASCII letters only, three at least, no function words.
   */
  public static List<String> keywords(Response response) {
    return response.words().stream()
        .map(PyText::lower)
        .filter(word -> word.length() >= 3 && !FunctionWords.contains(word))
        .filter(word -> word.chars().allMatch(c -> c >= 'a' && c <= 'z'))
        .distinct()
        .toList();
  }

  /** Those of {@link #keywords} that occur exactly {@code times} times, also within words. */
  public static List<String> occurring(Response response, int times) {
    return keywords(response).stream()
        .filter(word -> KeywordPattern.of(word).count(response.codePoints()) == times)
        .toList();
  }
}
