package org.hirengine.verify.rlvr;

import java.util.Map;
import java.util.function.Function;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;

/**
 * A constraint by the name of the function that checks it in {@code open_instruct/if_functions.py}.
 * Like its caller there, it checks the response without surrounding white space; a blank response
 * satisfies none, although some functions would accept it. New instructions do not use these types,
 * since IFEval's types cover the same constraints.
 */
final class FunctionType implements ConstraintType {

  /** The function, its other arguments bound. */
  @FunctionalInterface
  interface Rule {
    Verdict check(String text);
  }

  private final String id;
  private final Function<Kwargs, Verifier> rule;
  private final Function<Kwargs, String> sentence;

  private FunctionType(
      String id, Function<Kwargs, Verifier> rule, Function<Kwargs, String> sentence) {
    this.id = id;
    this.rule = rule;
    this.sentence = sentence;
  }

  /** A function of the stripped text. */
  static FunctionType of(
      String id, Function<Kwargs, Rule> rule, Function<Kwargs, String> sentence) {
    return ofResponse(
        id,
        kwargs -> {
          Rule bound = rule.apply(kwargs);
          return response -> bound.check(response.stripped());
        },
        sentence);
  }

  /** A function of an analysis of the response. */
  static FunctionType ofResponse(
      String id, Function<Kwargs, Verifier> rule, Function<Kwargs, String> sentence) {
    return new FunctionType(id, rule, sentence);
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public Verifier parse(Map<String, Object> kwargs) {
    return rule.apply(Kwargs.of(id, kwargs));
  }

  @Override
  public String sentence(Map<String, Object> kwargs) {
    return sentence.apply(Kwargs.of(id, kwargs));
  }
}
