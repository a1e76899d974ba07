package org.hirengine.verify.rule;

import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;

/** "At least n" or "less than n" of something countable in the response, by two kwargs. */
public abstract class CountType extends RuleType {

  /** Every text has one sentence and one word, and nobody asks for fewer than one. */
  private static final int LEAST = 2;

  private final String countName;
  private final String relationName;
  private final String noun;

  /**
   * @param noun what is counted, in the singular, for reasons
   */
  protected CountType(String id, String countName, String relationName, String noun) {
    super(id);
    this.countName = countName;
    this.relationName = relationName;
    this.noun = noun;
  }

  /** How many there are. */
  protected abstract long count(Response response);

  /** The sentence, "at least 5" or "fewer than 5" given. */
  protected abstract String sentence(String amount, long asked);

  /** A number to ask for. */
  protected abstract int sampleCount(RandomGenerator random);

  @Override
  protected final Verifier parse(Kwargs kwargs) {
    int asked = kwargs.integer(countName, 0);
    Relation relation = kwargs.relation(relationName);
    return response -> {
      long count = count(response);
      return Verdict.of(
          relation.holds(count, asked),
          Wording.count(count, noun) + ", " + relation.phrase(asked) + " asked");
    };
  }

  @Override
  protected final String sentence(Kwargs kwargs) {
    int asked = kwargs.integer(countName, 0);
    return sentence(kwargs.relation(relationName).phrase(asked), asked);
  }

  @Override
  public final Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(
        kwargs(countName, sampleCount(random), relationName, Relation.sample(random).text()));
  }

  @Override
  protected final Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    long count = count(response);
    Relation relation = kwargs.relation(relationName);
    if (relation == Relation.AT_LEAST && count < LEAST) {
      return Optional.empty();
    }
    int asked = Math.max(LEAST, relation.achieved(count, random));
    return Optional.of(kwargs(countName, asked, relationName, relation.text()));
  }
}
