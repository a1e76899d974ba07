package org.hirengine.text.regex;

import java.util.List;

/** The syntax tree of a pattern. */
sealed interface Node {

  /** One character out of a set: a literal, a class, or the dot. */
  record One(CharSet set) implements Node {}

  record Sequence(List<Node> items) implements Node {}

  record Branch(List<Node> options) implements Node {}

  /** A capturing group, numbered from 1. */
  record Group(int number, Node body) implements Node {}

  /** {@code body{min,max}}; max is {@link Integer#MAX_VALUE} if unbounded. */
  record Repeat(Node body, int min, int max, Kind kind) implements Node {
    enum Kind {
      GREEDY,
      LAZY,
      POSSESSIVE
    }
  }

  record Atomic(Node body) implements Node {}

  /** Lookahead or lookbehind, positive or negative. */
  record Look(Node body, boolean ahead, boolean negative) implements Node {}

  record BackReference(int group, boolean ignoreCase) implements Node {}

  record Conditional(int group, Node yes, Node no) implements Node {}

  record At(Anchor anchor) implements Node {}

  /** Zero-width assertions. */
  enum Anchor {
    TEXT_START,
    LINE_START,
    TEXT_END,
    /** Before a final newline, or at the very end. */
    TEXT_END_OR_NEWLINE,
    LINE_END,
    WORD_BOUNDARY,
    NOT_WORD_BOUNDARY,
    ASCII_WORD_BOUNDARY,
    NOT_ASCII_WORD_BOUNDARY
  }

  /** The smallest and the largest number of characters that the node can match, as {min, max}. */
  default long[] width() {
    long unbounded = Integer.MAX_VALUE;
    if (this instanceof One) {
      return new long[] {1, 1};
    } else if (this instanceof Sequence sequence) {
      long[] sum = {0, 0};
      for (Node item : sequence.items) {
        long[] w = item.width();
        sum[0] = Math.min(unbounded, sum[0] + w[0]);
        sum[1] = Math.min(unbounded, sum[1] + w[1]);
      }
      return sum;
    } else if (this instanceof Branch branch) {
      long[] hull = {unbounded, 0};
      for (Node option : branch.options) {
        long[] w = option.width();
        hull[0] = Math.min(hull[0], w[0]);
        hull[1] = Math.max(hull[1], w[1]);
      }
      return hull;
    } else if (this instanceof Group group) {
      return group.body.width();
    } else if (this instanceof Atomic atomic) {
      return atomic.body.width();
    } else if (this instanceof Repeat repeat) {
      long[] w = repeat.body.width();
      return new long[] {
        Math.min(unbounded, w[0] * repeat.min), Math.min(unbounded, w[1] * repeat.max)
      };
    } else if (this instanceof BackReference) {
      return new long[] {0, unbounded};
    } else if (this instanceof Conditional conditional) {
      long[] yes = conditional.yes.width();
      long[] no = conditional.no.width();
      return new long[] {Math.min(yes[0], no[0]), Math.max(yes[1], no[1])};
    }
    return new long[] {0, 0};
  }
}
