package org.hirengine.text.jinja;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code [start:stop:step]}, each None if omitted.
 *
 * @param start first index
 * @param stop index after the last
 * @param step distance, negative to go backwards
 */
record Slice(@Nullable Object start, @Nullable Object stop, @Nullable Object step) {

  /** The selected elements of a list. */
  List<@Nullable Object> of(List<@Nullable Object> items) {
    List<@Nullable Object> taken = new ArrayList<>();
    for (int index : indices(items.size())) {
      taken.add(items.get(index));
    }
    return taken;
  }

  /** The selected characters (code points) of a text. */
  String of(String text) {
    int[] characters = text.codePoints().toArray();
    StringBuilder taken = new StringBuilder();
    for (int index : indices(characters.length)) {
      taken.appendCodePoint(characters[index]);
    }
    return taken.toString();
  }

  private int[] indices(int length) {
    long stride = step == null ? 1 : bound(step);
    if (stride == 0) {
      throw new RenderError("slice step cannot be zero");
    }
    boolean forward = stride > 0;
    long first = start == null ? (forward ? 0 : length - 1) : clamp(bound(start), length, forward);
    long last = stop == null ? (forward ? length : -1) : clamp(bound(stop), length, forward);
    List<Integer> indices = new ArrayList<>();
    for (long at = first; forward ? at < last : at > last; ) {
      indices.add((int) at);
      // A stride near the ends of 64 bits would wrap around.
      if (Math.abs((double) stride) >= length) {
        break;
      }
      at += stride;
    }
    return indices.stream().mapToInt(Integer::intValue).toArray();
  }

  private static long clamp(long bound, int length, boolean forward) {
    long at = bound < 0 ? bound + length : bound;
    if (at < 0) {
      return forward ? 0 : -1;
    }
    return at >= length ? (forward ? length : length - 1) : at;
  }

  private static long bound(@Nullable Object bound) {
    if (bound instanceof Long || bound instanceof Boolean) {
      return Values.integer(bound);
    }
    throw new RenderError("slice indices must be integers or None");
  }
}
