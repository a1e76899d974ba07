package org.hirengine.text.regex;

import org.jspecify.annotations.Nullable;

/** The characters that a match can begin with; a search skips all other positions. */
final class FirstChars {

  private final long[] ascii = new long[2];
  private boolean others;

  private FirstChars() {}

  /** Those of a pattern; null if a match may be empty. */
  static @Nullable FirstChars of(Node pattern) {
    FirstChars chars = new FirstChars();
    return chars.add(pattern) ? null : chars;
  }

  /** Exact for ASCII; otherwise false only if no match can begin with {@code c}. */
  boolean mayBe(int c) {
    return c < 128 ? (ascii[c >> 6] & (1L << c)) != 0 : others;
  }

  /** Adds what a node can begin with; true if it may match the empty string. */
  private boolean add(Node node) {
    if (node instanceof Node.One one) {
      add(one.set());
      return false;
    } else if (node instanceof Node.Sequence sequence) {
      for (Node item : sequence.items()) {
        if (!add(item)) {
          return false;
        }
      }
      return true;
    } else if (node instanceof Node.Branch branch) {
      boolean empty = false;
      for (Node option : branch.options()) {
        empty |= add(option);
      }
      return empty;
    } else if (node instanceof Node.Group group) {
      return add(group.body());
    } else if (node instanceof Node.Atomic atomic) {
      return add(atomic.body());
    } else if (node instanceof Node.Repeat repeat) {
      return add(repeat.body()) || repeat.min() == 0;
    } else if (node instanceof Node.Conditional conditional) {
      boolean emptyYes = add(conditional.yes());
      boolean emptyNo = add(conditional.no());
      return emptyYes || emptyNo;
    } else if (node instanceof Node.BackReference) {
      ascii[0] = -1;
      ascii[1] = -1;
      others = true;
    }
    return true;
  }

  private void add(CharSet set) {
    for (int c = 0; c < 128; c++) {
      if (set.contains(set.ignoreCase() ? Character.toLowerCase(c) : c)) {
        ascii[c >> 6] |= 1L << c;
      }
    }
    others |= set.mayHoldOthers();
  }
}
