package org.hirengine.verify.text;

import java.util.List;
import java.util.Set;
import org.hirengine.text.PyText;

/**
 * The stand-in for {@link PerceptronTagger} without its model: a list of common verbs and their
 * regular endings. It distinguishes verbs from other words and nothing finer. It takes a word in
 * capitals for a name and one that ends in -s for a plural, since a text hardly begins with a verb
 * in the third person.
 */
public final class LexiconTagger implements PosTagger {

  private static final Set<String> VERBS = WordList.resource("verbs-english.txt");

  /** Words in -ing that are no verb forms. */
  private static final Set<String> NOUNS =
      Set.of(
          "according",
          "amazing",
          "anything",
          "beginning",
          "being",
          "building",
          "ceiling",
          "clothing",
          "concerning",
          "during",
          "evening",
          "everything",
          "exciting",
          "following",
          "interesting",
          "king",
          "meaning",
          "morning",
          "nothing",
          "notwithstanding",
          "outstanding",
          "painting",
          "regarding",
          "ring",
          "something",
          "spring",
          "sterling",
          "string",
          "thing",
          "wedding",
          "wing");

  @Override
  public String firstTag(List<String> tokens) {
    String first = PyText.strip(tokens.get(0), "\uFEFF");
    if (first.length() > 1 && PyText.isUpper(first)) {
      return "NNP";
    }
    String word = PyText.lower(first);
    if (VERBS.contains(word)) {
      return "VB";
    }
    int n = word.length();
    if (n > 4 && word.endsWith("ing")) {
      return NOUNS.contains(word) ? "NN" : "VBG";
    }
    if (n > 3 && word.endsWith("ed")) {
      return known(word.substring(0, n - 2)) ? "VBD" : "NN";
    }
    return "NN";
  }

  /** Whether it is a verb: without its final e, with its final consonant doubled, or unchanged. */
  private static boolean known(String stem) {
    int n = stem.length();
    return VERBS.contains(stem)
        || VERBS.contains(stem + "e")
        || (stem.endsWith("i") && VERBS.contains(stem.substring(0, n - 1) + "y"))
        || (stem.charAt(n - 1) == stem.charAt(n - 2) && VERBS.contains(stem.substring(0, n - 1)));
  }
}
