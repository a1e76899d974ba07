package org.hirengine.verify;

import java.util.Collection;

/**
 * Additional constraint types, found by {@link java.util.ServiceLoader}: name the implementation in
 * {@code META-INF/services/org.hirengine.verify.ConstraintTypeProvider}. Its types are added to
 * every {@link Verifiers} and replace shipped ones with the same ids.
 */
public interface ConstraintTypeProvider {

  /** The benchmark whose rows use the types; a shipped one or a new name. */
  String bench();

  /**
   * The types.
   *
   * @param tools the analysers of the {@link Verifiers} that the types are added to
   */
  Collection<ConstraintType> types(TextTools tools);
}
