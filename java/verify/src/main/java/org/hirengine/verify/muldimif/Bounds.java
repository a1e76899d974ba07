package org.hirengine.verify.muldimif;

import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.Wording;

/** A range that a count must lie in, both ends included; a reversed range contains no count. */
record Bounds(long least, long most) {

  static final Bounds ANY = new Bounds(0, Long.MAX_VALUE);

  static Bounds exactly(long count) {
    return new Bounds(count, count);
  }

  static Bounds atLeast(long count) {
    return new Bounds(count, Long.MAX_VALUE);
  }

  static Bounds atMost(long count) {
    return new Bounds(Long.MIN_VALUE, count);
  }

  boolean holds(long count) {
    return least <= count && count <= most;
  }

  /** "at least 5", "at most 5", "exactly 5" or "5 to 7". */
  String phrase() {
    if (most == Long.MAX_VALUE) {
      return least <= 0 ? "any number" : "at least " + least;
    }
    if (least == Long.MIN_VALUE) {
      return "at most " + most;
    }
    return least == most ? "exactly " + most : least + " to " + most;
  }

  /** The verdict on a count of {@code noun}. */
  Verdict verdict(long count, String noun) {
    return Verdict.of(holds(count), Wording.count(count, noun) + ", " + phrase() + " asked");
  }
}
