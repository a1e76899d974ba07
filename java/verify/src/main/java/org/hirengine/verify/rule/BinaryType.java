package org.hirengine.verify.rule;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;

/** A constraint without parameters: a response satisfies it or not. */
public abstract class BinaryType implements ConstraintType {

  private final String id;
  private final String sentence;

  protected BinaryType(String id, String sentence) {
    this.id = id;
    this.sentence = sentence;
  }

  /** The rule itself. */
  protected abstract Verdict check(Response response);

  @Override
  public final String id() {
    return id;
  }

  @Override
  public final Verifier parse(Map<String, Object> kwargs) {
    return this::check;
  }

  @Override
  public final String sentence(Map<String, Object> kwargs) {
    return sentence;
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(Map.of());
  }

  /** Whether a response that satisfies this does so in the sense of the sentence. */
  protected boolean achieves(Response response) {
    return true;
  }

  @Override
  public final Optional<Map<String, Object>> achieved(
      Response response, Map<String, Object> kwargs, RandomGenerator random) {
    return check(response).satisfied() && achieves(response)
        ? Optional.of(Map.of())
        : Optional.empty();
  }

  @Override
  public final Set<String> clashes() {
    return Clashes.of(id);
  }
}
