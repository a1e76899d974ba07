package org.hirengine.text.jinja;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code namespace()}: the one object that a template can change, also from inside a loop.
 *
 * @param attributes its attributes
 */
record Namespace(Map<@Nullable Object, @Nullable Object> attributes) {

  @Override
  public boolean equals(@Nullable Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }
}
