package org.hirengine.replay;

import java.util.Map;
import org.hirengine.verify.ConstraintType;

/**
 * How a constraint is put into words. The engine's own words are {@code ConstraintType::sentence};
 * training data with its own style or language comes with a {@link SentenceCatalogue}, so that
 * rewritten instructions read like the others.
 */
@FunctionalInterface
public interface Phrasing {

  /** One sentence that asks for {@code type} with these kwargs. */
  String sentence(ConstraintType type, Map<String, Object> kwargs);
}
