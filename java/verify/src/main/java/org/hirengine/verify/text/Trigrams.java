package org.hirengine.verify.text;

import org.hirengine.text.CodePoints;
import org.jspecify.annotations.Nullable;

/** The distinct character trigrams of a text, or of a part of it. */
public final class Trigrams {

  private final Table table;
  private final int from;
  private final int to;
  private final int size;

  private Trigrams(Table table, int from, int to) {
    this.table = table;
    this.from = Math.min(from, table.previous.length);
    this.to = Math.max(this.from, to);
    this.size = table.different - missing(null);
  }

  public static Trigrams of(CodePoints text) {
    Table table = new Table(text.values());
    return new Trigrams(table, 0, table.previous.length);
  }

  /** Those of the text between two positions in this text, in code points. */
  public Trigrams within(int first, int end) {
    return new Trigrams(table, from + first, Math.min(to, from + end - 2));
  }

  /** How many different ones there are; 0 for a text of fewer than three code points. */
  public int size() {
    return size;
  }

  /** How many of them the other text has too. */
  public int shared(Trigrams other) {
    return table.shared(other) - missing(other);
  }

  /** Whether the trigram at a position of a text is one of them. */
  private boolean contains(int[] points, int at) {
    int last = table.last(points, at);
    while (last >= to) {
      last = table.previous[last];
    }
    return last >= from;
  }

  /**
   * How many trigrams of the whole text begin only outside this part. A part leaves out little, so
   * this is less work than counting its own.
   *
   * @param in another text that must also have them; null for all
   */
  private int missing(@Nullable Trigrams in) {
    int missing = 0;
    for (int i = 0; i < from; i++) {
      if ((table.next[i] == 0 || table.next[i] >= to)
          && (in == null || in.contains(table.points, i))) {
        missing++;
      }
    }
    for (int i = to; i < table.previous.length; i++) {
      if (table.previous[i] < 0 && (in == null || in.contains(table.points, i))) {
        missing++;
      }
    }
    return missing;
  }

  /** The runs of a whole text. */
  private static final class Table {

    private final int[] points;

    /** Open addressing, never full; a slot holds the last position of a trigram plus 1, or 0. */
    private final int[] slots;

    /** For each position, the previous position of its trigram; -1 if there is none. */
    private final int[] previous;

    /** For each position, the next position of its trigram; 0 if there is none. */
    private final int[] next;

    private final int different;

    /**
     * The last result of {@link #shared}: the parts of a text are compared with the same other
     * text.
     */
    private volatile @Nullable Shared last;

    private record Shared(Trigrams other, int count) {}

    Table(int[] points) {
      this.points = points;
      previous = new int[Math.max(0, points.length - 2)];
      next = new int[previous.length];
      // Most trigrams of a text occur often, so a table of this size stays half empty.
      slots = new int[Math.max(2, Integer.highestOneBit(points.length) << 1)];
      int found = 0;
      long run = points.length < 3 ? 0 : run(points, 0) >> 21;
      for (int i = 0; i < previous.length; i++) {
        run = (run << 21 | points[i + 2]) & Long.MAX_VALUE;
        int slot = slot(run);
        int before = slots[slot] - 1;
        previous[i] = before;
        if (before < 0) {
          found++;
        } else {
          next[before] = i;
        }
        slots[slot] = i + 1;
      }
      different = found;
    }

    /** Three code points of 21 bits each. */
    private static long run(int[] points, int at) {
      return (long) points[at] << 42 | (long) points[at + 1] << 21 | points[at + 2];
    }

    /** The slot of the trigram, or the empty slot for it. */
    private int slot(long run) {
      int mask = slots.length - 1;
      // The highest bits of the product depend on the whole trigram.
      int at = (int) ((run * 0x9E3779B97F4A7C15L) >>> Long.numberOfLeadingZeros(mask));
      while (slots[at] != 0 && run(points, slots[at] - 1) != run) {
        at = (at + 1) & mask;
      }
      return at;
    }

    /** The last position here of the trigram at a position of a text; -1 if there is none. */
    int last(int[] text, int place) {
      return slots[slot(run(text, place))] - 1;
    }

    /** How many of the trigrams the other text has too. */
    int shared(Trigrams other) {
      Shared known = last;
      if (known == null || known.other != other) {
        int count = 0;
        for (int i = other.from; i < other.to; i++) {
          boolean first = other.table.previous[i] < other.from;
          count += first && last(other.table.points, i) >= 0 ? 1 : 0;
        }
        known = new Shared(other, count);
        last = known;
      }
      return known.count;
    }
  }
}
