package org.hirengine.text.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A sized iterable that is no list: a range, or a dict's keys, values or items.
 *
 * @param type Python's name of the type
 * @param items its elements
 * @param repr how a range prints; null for a dict's view, which prints its elements
 */
record PyView(String type, List<@Nullable Object> items, @Nullable String repr) {

  boolean isRange() {
    return repr != null;
  }
}
