package org.hirengine.verify;

import java.util.Collection;

/**
 * Additional constraint types, found by {@link java.util.ServiceLoader}: name the implementation in
 * {@code META-INF/services/org.hirengine.verify.ConstraintTypeProvider}. Its types join every
 * {@link Verifiers} and replace shipped ones with their ids.
 */
public interface ConstraintTypeProvider {

  /** The benchmark whose rows use the types; a shipped one or a new name. */
  String bench();

  /**
   * The types.
   *
   * @param tools the analysers of the verifiers that the types join
   */
  Collection<ConstraintType> types(TextTools tools);
}
