package org.hirengine.verify;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * A kind of constraint, and everything the engine knows about it: how to parse, check, word, sample
 * and relabel it. Verifying, composing, rewriting and reports all use the same object; adding a
 * type is adding a class.
 *
 * <p>kwargs are JSON values (String, Boolean, Number, List) by the reference's argument names, with
 * nulls left out. Whole floats count as integers ({@code 5.0} is 5), as in the reference's data.
 */
public interface ConstraintType {

  /** The reference's id, such as {@code length_constraints:number_words}. */
  String id();

  /**
   * Builds the verifier for these kwargs.
   *
   * @throws IllegalArgumentException naming the kwarg that is missing or out of range, and what it
   *     may be
   */
  Verifier parse(Map<String, Object> kwargs);

  /**
   * Whether a response is checked unchanged: even if it is blank, and loose mode equals strict
   * mode. By default a blank response satisfies nothing and loose verification tries its variants,
   * as in the harness of IFEval and IFBench.
   */
  default boolean verbatim() {
    return false;
  }

  /**
   * The constraint in our own words, as an instruction to the model; one sentence that ends with a
   * full stop.
   */
  String sentence(Map<String, Object> kwargs);

  /**
   * Parameters for a new instruction, or empty (the default) if none can be drawn; the composer
   * then leaves the type out.
   *
   * @param question the plain request that the constraint is added to; types that repeat or quote
   *     the request take it from here
   */
  default Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.empty();
  }

  /**
   * Achieved-goal relabelling: kwargs of this type that {@code response} does satisfy, of the same
   * kind as {@code kwargs} (same relation, same number of words); empty (the default) if no such
   * kwargs exist (binary types that are violated, nothing to count). The caller keeps them within
   * the ranges that its instructions use, and confirms the result with {@link #parse} and {@link
   * Verifier#check}.
   */
  default Optional<Map<String, Object>> achieved(
      Response response, Map<String, Object> kwargs, RandomGenerator random) {
    return Optional.empty();
  }

  /**
   * The words and phrases among {@code kwargs} that {@link #achieved} takes from a response; none
   * by default. They may be arbitrary words of the response, so callers may want to check them.
   */
  default List<String> quoted(Map<String, Object> kwargs) {
    return List.of();
  }

  /**
   * Ids of types that make no sense together with this one in an instruction; symmetric, may
   * include its own id; none by default.
   */
  default Set<String> clashes() {
    return Set.of();
  }
}
