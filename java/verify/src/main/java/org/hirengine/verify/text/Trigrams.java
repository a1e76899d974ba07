package org.hirengine.verify.text;

import org.hirengine.text.CodePoints;
import org.jspecify.annotations.Nullable;

/** The different runs of three characters in a text, or in a part of it. */
public final class Trigrams {

  private final Table table;
  private final int from;
  private final int to;

  /** A bit for each run of the table that occurs between {@code from} and {@code to}. */
  private final long[] own;

  private final int size;

  private Trigrams(Table table, int from, int to) {
    this.table = table;
    this.from = from;
    this.to = Math.max(from, to);
    own = new long[(table.count + 63) >> 6];
    for (int i = from; i < to; i++) {
      int number = table.numbers[i];
      own[number >> 6] |= 1L << number;
    }
    int ones = 0;
    for (long word : own) {
      ones += Long.bitCount(word);
    }
    size = ones;
  }

  public static Trigrams of(CodePoints text) {
    Table table = new Table(text.values());
    return new Trigrams(table, 0, table.numbers.length);
  }

  /** Those of the text between two places of this one's, in code points. */
  public Trigrams within(int first, int end) {
    return new Trigrams(table, from + first, Math.min(to, from + end - 2));
  }

  /** How many different ones there are; 0 for a text of fewer than three code points. */
  public int size() {
    return size;
  }

  /** How many of them the other text has too. */
  public int shared(Trigrams other) {
    long[] both = table.sharedWith(other);
    int shared = 0;
    for (int i = 0; i < own.length; i++) {
      shared += Long.bitCount(own[i] & both[i]);
    }
    return shared;
  }

  private boolean contains(long run) {
    int number = table.number(run);
    return number >= 0 && (own[number >> 6] & 1L << number) != 0;
  }

  /** The runs of a whole text, numbered in the order of their first places. */
  private static final class Table {

    /** Open addressing, at most half full; a slot holds the number of a run plus 1, or 0. */
    private final int[] slots;

    /** The runs by number, 21 bits for each of the three code points. */
    private final long[] runs;

    /** The numbers of the runs that begin at each place. */
    private final int[] numbers;

    private final int count;

    /** The last answer of {@link #sharedWith}: parts of one text are compared with one other. */
    private volatile @Nullable Shared last;

    private record Shared(Trigrams other, long[] bits) {}

    Table(int[] points) {
      int places = Math.max(0, points.length - 2);
      slots = new int[Math.max(2, Integer.highestOneBit(points.length) << 2)];
      runs = new long[places];
      numbers = new int[places];
      int found = 0;
      for (int i = 0; i < places; i++) {
        long run = (long) points[i] << 42 | (long) points[i + 1] << 21 | points[i + 2];
        int slot = slot(run);
        if (slots[slot] == 0) {
          runs[found] = run;
          slots[slot] = ++found;
        }
        numbers[i] = slots[slot] - 1;
      }
      count = found;
    }

    /** Where the run is, or the empty slot where it would be. */
    private int slot(long run) {
      int mask = slots.length - 1;
      int at = (int) ((run * 0x9E3779B97F4A7C15L) >>> 33) & mask;
      while (slots[at] != 0 && runs[slots[at] - 1] != run) {
        at = (at + 1) & mask;
      }
      return at;
    }

    /** The number of a run, or -1. */
    int number(long run) {
      return slots[slot(run)] - 1;
    }

    /** A bit for each run that the other text has too. */
    long[] sharedWith(Trigrams other) {
      Shared known = last;
      if (known == null || known.other != other) {
        long[] bits = new long[(count + 63) >> 6];
        for (int i = 0; i < count; i++) {
          if (other.contains(runs[i])) {
            bits[i >> 6] |= 1L << i;
          }
        }
        known = new Shared(other, bits);
        last = known;
      }
      return known.bits;
    }
  }
}
