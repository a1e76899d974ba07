package org.hirengine.verify.rule;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verifier;

/** A constraint type with kwargs: its id and clashes, kwargs read by {@link Kwargs}. */
public abstract class RuleType implements ConstraintType {

  private final String id;

  protected RuleType(String id) {
    this.id = id;
  }

  /** {@link #parse(Map)} with checked reading. */
  protected abstract Verifier parse(Kwargs kwargs);

  /** {@link #sentence(Map)} with checked reading. */
  protected abstract String sentence(Kwargs kwargs);

  /** New kwargs for a response that violates {@code kwargs}. */
  protected abstract Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random);

  @Override
  public final String id() {
    return id;
  }

  @Override
  public final Set<String> clashes() {
    return Clashes.of(id);
  }

  @Override
  public final Verifier parse(Map<String, Object> kwargs) {
    return parse(Kwargs.of(id, kwargs));
  }

  @Override
  public final String sentence(Map<String, Object> kwargs) {
    return sentence(Kwargs.of(id, kwargs));
  }

  /**
   * Whether a response achieves these kwargs: satisfies them, and not merely by a default of the
   * reference.
   */
  protected boolean achieves(Response response, Kwargs kwargs) {
    return parse(kwargs).check(response).satisfied();
  }

  /** The words that {@link #relabel} takes from a response; none by default. */
  protected List<String> quoted(Kwargs kwargs) {
    return List.of();
  }

  @Override
  public final List<String> quoted(Map<String, Object> kwargs) {
    return quoted(Kwargs.of(id, kwargs));
  }

  /** Satisfied kwargs are kept; otherwise {@link #relabel}. */
  @Override
  public final Optional<Map<String, Object>> achieved(
      Response response, Map<String, Object> kwargs, RandomGenerator random) {
    if (achieves(response, Kwargs.of(id, kwargs))) {
      return Optional.of(kwargs);
    }
    return relabel(response, Kwargs.of(id, kwargs), random);
  }

  /** kwargs in the order given: name, value, name, value... */
  protected static Map<String, Object> kwargs(Object... namesAndValues) {
    Map<String, Object> kwargs = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      kwargs.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return kwargs;
  }
}
