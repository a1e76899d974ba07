package org.hirengine.verify.ifbench;

import java.util.Set;
import java.util.random.RandomGenerator;
import org.hirengine.text.PyChars;
import org.hirengine.verify.Response;
import org.hirengine.verify.rule.NumberType;
import org.hirengine.verify.rule.Wording;
import org.hirengine.verify.text.WordSet;

/**
 * {@code ConjunctionCountChecker}: different coordinating conjunctions; {@code and} and {@code And}
 * count as two.
 */
final class Conjunctions extends NumberType {

  private static final WordSet COORDINATING =
      WordSet.of(Set.of("and", "but", "for", "nor", "or", "so", "yet"));

  Conjunctions() {
    super("count:conjunctions", "small_n", "different conjunction", Match.AT_LEAST);
  }

  @Override
  protected int count(Response response) {
    return response
        .pieces("conjunctions", whole -> whole.tokens().filter(Conjunctions::isConjunction))
        .different();
  }

  /** Whether the word is a conjunction, apart from surrounding punctuation. */
  private static boolean isConjunction(String text, int from, int to) {
    int first = from;
    int end = to;
    while (first < end && PyChars.isPunctuation(text.charAt(first))) {
      first++;
    }
    while (end > first && PyChars.isPunctuation(text.charAt(end - 1))) {
      end--;
    }
    return COORDINATING.contains(text, first, end);
  }

  @Override
  protected String sentence(int asked) {
    return "Use at least "
        + asked
        + " different coordinating "
        + Wording.plural(asked, "conjunction")
        + ".";
  }

  @Override
  protected int sampleCount(RandomGenerator random) {
    return 2 + random.nextInt(5);
  }
}
