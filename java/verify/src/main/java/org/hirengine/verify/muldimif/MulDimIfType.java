package org.hirengine.verify.muldimif;

import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;

/**
 * A category and subcategory of MulDimIF. Its kwarg {@code constraint} is the sentence that is both
 * shown to the model and read by the checker, so new ones are not sampled and a violated one cannot
 * be relabelled.
 */
final class MulDimIfType implements ConstraintType {

  private final String id;
  private final Function<Demand, Verifier> checker;

  MulDimIfType(String id, Function<Demand, Verifier> checker) {
    this.id = id;
    this.checker = checker;
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public Verifier parse(Map<String, Object> kwargs) {
    Demand demand = new Demand(Kwargs.of(id, kwargs).text("constraint"));
    try {
      return new Rule(checker.apply(demand));
    } catch (ReferenceRaises e) {
      String what = String.valueOf(e.getMessage());
      return NotUnderstood.of(what, response -> Verdict.failed(what));
    }
  }

  /** A checker's verifier; if the reference raises on a response, the check has failed. */
  private record Rule(Verifier checker) implements Verifier {

    @Override
    public Verdict check(Response response) {
      try {
        return checker.check(response);
      } catch (ReferenceRaises e) {
        return Verdict.failed(String.valueOf(e.getMessage()));
      }
    }

    @Override
    public Optional<String> unread() {
      return checker.unread();
    }
  }

  @Override
  public String sentence(Map<String, Object> kwargs) {
    return Kwargs.of(id, kwargs).text("constraint");
  }

  @Override
  public boolean verbatim() {
    return true;
  }

  @Override
  public Optional<Map<String, Object>> achieved(
      Response response, Map<String, Object> kwargs, RandomGenerator random) {
    return parse(kwargs).check(response).satisfied() ? Optional.of(kwargs) : Optional.empty();
  }
}
