package org.hirengine.verify.rule;

import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;

/** "Exactly n", "at least n" or "at most n" of something, by one kwarg. */
public abstract class NumberType extends RuleType {

  /** How the count must compare with the number asked for. */
  public enum Match {
    EXACTLY("exactly "),
    AT_LEAST("at least "),
    AT_MOST("at most ");

    private final String phrase;

    Match(String phrase) {
      this.phrase = phrase;
    }

    private boolean holds(int count, int asked) {
      return switch (this) {
        case EXACTLY -> count == asked;
        case AT_LEAST -> count >= asked;
        case AT_MOST -> count <= asked;
      };
    }
  }

  private final String name;
  private final String noun;
  private final Match match;

  protected NumberType(String id, String name, String noun, Match match) {
    super(id);
    this.name = name;
    this.noun = noun;
    this.match = match;
  }

  protected abstract int count(Response response);

  protected abstract String sentence(int asked);

  protected abstract int sampleCount(RandomGenerator random);

  @Override
  protected final Verifier parse(Kwargs kwargs) {
    int asked = kwargs.integer(name, 0);
    String wanted = match.phrase + asked + " asked";
    return response -> {
      int count = count(response);
      return Verdict.of(match.holds(count, asked), Wording.count(count, noun) + ", " + wanted);
    };
  }

  @Override
  protected final String sentence(Kwargs kwargs) {
    return sentence(kwargs.integer(name, 0));
  }

  @Override
  public final Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(kwargs(name, sampleCount(random)));
  }

  @Override
  protected final Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    int count = count(response);
    return count == 0 ? Optional.empty() : Optional.of(kwargs(name, count));
  }
}
