package org.hirengine.verify.text;

import java.util.Arrays;
import java.util.BitSet;

/** The different runs of three characters in a text, or in a part of it. */
public final class Trigrams {

  /** Open addressing; a slot holds the number of a run plus 1, or 0. */
  private final int[] slots;

  /** The runs by number, 21 bits for each of the three code points. */
  private final long[] runs;

  /** The numbers of the runs that begin at each place. */
  private final int[] numbers;

  private final int from;
  private final int to;
  private final BitSet own = new BitSet();
  private final int size;

  private Trigrams(CodePoints text) {
    int[] points = text.values();
    from = 0;
    to = Math.max(0, points.length - 2);
    slots = new int[Math.max(2, Integer.highestOneBit(points.length) << 2)];
    long[] found = new long[to];
    numbers = new int[to];
    int count = 0;
    for (int i = 0; i < to; i++) {
      long run = (long) points[i] << 42 | (long) points[i + 1] << 21 | points[i + 2];
      int slot = slot(slots, found, run);
      if (slots[slot] == 0) {
        found[count] = run;
        slots[slot] = ++count;
      }
      numbers[i] = slots[slot] - 1;
    }
    runs = Arrays.copyOf(found, count);
    size = count;
    own.set(0, count);
  }

  private Trigrams(Trigrams whole, int from, int to) {
    this.from = from;
    this.to = Math.max(from, to);
    slots = whole.slots;
    runs = whole.runs;
    numbers = whole.numbers;
    for (int i = from; i < to; i++) {
      own.set(numbers[i]);
    }
    size = own.cardinality();
  }

  public static Trigrams of(CodePoints text) {
    return new Trigrams(text);
  }

  /** Those of the text between two places of this one's, in code points. */
  public Trigrams within(int first, int end) {
    return new Trigrams(this, from + first, Math.min(to, from + end - 2));
  }

  /** How many different ones there are; 0 for a text of fewer than three code points. */
  public int size() {
    return size;
  }

  /** How many of them the other text has too. */
  public int shared(Trigrams other) {
    int shared = 0;
    for (int i = own.nextSetBit(0); i >= 0; i = own.nextSetBit(i + 1)) {
      int number = other.slots[slot(other.slots, other.runs, runs[i])] - 1;
      if (number >= 0 && other.own.get(number)) {
        shared++;
      }
    }
    return shared;
  }

  /** Where the run is, or the empty slot where it would be; the table is at most half full. */
  private static int slot(int[] slots, long[] runs, long run) {
    int mask = slots.length - 1;
    int at = (int) ((run * 0x9E3779B97F4A7C15L) >>> 33) & mask;
    while (slots[at] != 0 && runs[slots[at] - 1] != run) {
      at = (at + 1) & mask;
    }
    return at;
  }
}
