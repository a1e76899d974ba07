package org.hirengine.verify.text;

/** A hash table from positive longs to ints with open addressing; lookups allocate nothing. */
final class LongIndex {

  private long[] keys;
  private int[] values;
  private int size;

  /**
   * @param capacity initial number of slots, a power of two
   */
  LongIndex(int capacity) {
    keys = new long[capacity];
    values = new int[capacity];
  }

  private static int slot(long[] keys, long key) {
    int mask = keys.length - 1;
    int at = (int) ((key * 0x9E3779B97F4A7C15L) >>> 40) & mask;
    while (keys[at] != 0 && keys[at] != key) {
      at = (at + 1) & mask;
    }
    return at;
  }

  /** The key's value, or -1. */
  int get(long key) {
    int at = slot(keys, key);
    return keys[at] == key ? values[at] : -1;
  }

  /** The key's value; {@code value} if it had none. */
  int putIfAbsent(long key, int value) {
    int at = slot(keys, key);
    if (keys[at] == key) {
      return values[at];
    }
    keys[at] = key;
    values[at] = value;
    if (++size > keys.length / 2) {
      grow();
    }
    return value;
  }

  private void grow() {
    long[] oldKeys = keys;
    int[] oldValues = values;
    keys = new long[2 * oldKeys.length];
    values = new int[keys.length];
    for (int i = 0; i < oldKeys.length; i++) {
      if (oldKeys[i] != 0) {
        int at = slot(keys, oldKeys[i]);
        keys[at] = oldKeys[i];
        values[at] = oldValues[i];
      }
    }
  }
}
