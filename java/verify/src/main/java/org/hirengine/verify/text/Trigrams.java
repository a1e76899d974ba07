package org.hirengine.verify.text;

/** The different runs of three characters in a text. */
public final class Trigrams {

  /** Open addressing; a slot holds the three code points, 21 bits each, plus 1, or 0. */
  private final long[] slots;

  /** Those in the slots, one after another. */
  private final long[] distinct;

  private final int size;

  private Trigrams(CodePoints text) {
    int[] points = text.values();
    slots = new long[Math.max(2, Integer.highestOneBit(points.length) << 2)];
    distinct = new long[Math.max(0, points.length - 2)];
    int found = 0;
    for (int i = 0; i + 2 < points.length; i++) {
      long key = ((long) points[i] << 42 | (long) points[i + 1] << 21 | points[i + 2]) + 1;
      int slot = slot(key);
      if (slots[slot] == 0) {
        slots[slot] = key;
        distinct[found++] = key;
      }
    }
    size = found;
  }

  public static Trigrams of(CodePoints text) {
    return new Trigrams(text);
  }

  /** How many different ones there are; 0 for a text of fewer than three code points. */
  public int size() {
    return size;
  }

  /** How many of them the other text has too. */
  public int shared(Trigrams other) {
    int shared = 0;
    for (int i = 0; i < size; i++) {
      if (other.slots[other.slot(distinct[i])] == distinct[i]) {
        shared++;
      }
    }
    return shared;
  }

  /** Where the key is, or the empty slot where it would be; the table is at most half full. */
  private int slot(long key) {
    int mask = slots.length - 1;
    long mixed = key * 0x9E3779B97F4A7C15L;
    int at = (int) (mixed >>> 33) & mask;
    while (slots[at] != 0 && slots[at] != key) {
      at = (at + 1) & mask;
    }
    return at;
  }
}
