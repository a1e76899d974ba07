package org.hirengine.verify.iftrain;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.LazyPattern;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.rule.Wording;

/**
 * {@code RepeatPhraseChecker}: n variants of a phrase, from its first word to its last, each with
 * at most one word changed, the last one with exactly one. First and last word reach the regular
 * expression unescaped.
 */
final class RepeatPhrase extends RuleType {

  private static final String PHRASE = "phrase";
  private static final String TIMES = "small_n";

  private static final List<String> PHRASES =
      List.of(
          "The quiet river carries old stories home",
          "Every bright morning opens a new door",
          "Small steps take patient people very far",
          "Old friends share warm bread by candlelight",
          "A good map saves many weary miles");

  RepeatPhrase() {
    super("copy:repeat_phrase");
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    List<String> phrase = PyText.split(kwargs.text(PHRASE));
    int asked = kwargs.integer(TIMES, 1);
    LazyPattern pattern =
        LazyPattern.of(phrase.get(0) + " .*? " + phrase.get(phrase.size() - 1), 0);
    return response -> check(response, phrase, pattern, asked);
  }

  private static Verdict check(
      Response response, List<String> phrase, LazyPattern pattern, int asked) {
    List<String> found = pattern.get().findTexts(response.codePoints());
    if (found.size() != asked) {
      return Verdict.violated(
          Wording.count(found.size(), "variant") + " of the phrase, exactly " + asked + " asked");
    }
    int changed = 0;
    for (String variant : found) {
      changed = changes(PyText.split(variant), phrase);
      if (changed > 1) {
        return Verdict.violated("more than one word differs in " + Wording.brief(variant));
      }
    }
    return Verdict.of(
        changed == 1,
        changed == 1 ? "one word replaced" : "no word is replaced in the last variant");
  }

  /** How many words differ, position by position; a longer variant counts as many differences. */
  private static int changes(List<String> variant, List<String> phrase) {
    if (variant.size() > phrase.size()) {
      return Integer.MAX_VALUE;
    }
    int changes = 0;
    for (int i = 0; i < variant.size(); i++) {
      if (!variant.get(i).equals(phrase.get(i))) {
        changes++;
      }
    }
    return changes;
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "Write the phrase \""
        + kwargs.text(PHRASE)
        + "\" exactly "
        + Wording.count(kwargs.integer(TIMES, 1), "time")
        + ", each time with one word in its middle replaced by another.";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(
        kwargs(PHRASE, PHRASES.get(random.nextInt(PHRASES.size())), TIMES, 2 + random.nextInt(2)));
  }

  /** As many variants as there are. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    List<String> words = PyText.split(kwargs.text(PHRASE));
    LazyPattern pattern = LazyPattern.of(words.get(0) + " .*? " + words.get(words.size() - 1), 0);
    int times = pattern.get().count(response.codePoints());
    Map<String, Object> relabelled = kwargs(PHRASE, kwargs.text(PHRASE), TIMES, times);
    return times > 0 && parse(relabelled).check(response).satisfied()
        ? Optional.of(relabelled)
        : Optional.empty();
  }
}
