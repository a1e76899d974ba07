package org.hirengine.text;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.RandomAccess;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Pieces of a text, such as its words, in order, each with its position. Strings are made only on
 * request: counting makes none.
 *
 * <p>Safe for use by any number of threads.
 */
public final class Pieces extends AbstractList<String> implements RandomAccess {

  private final Store store;
  private final int first;
  private final int size;

  private Pieces(Store store, int first, int size) {
    this.store = store;
    this.first = first;
    this.size = size;
  }

  /** A condition on the text between two positions. */
  @FunctionalInterface
  public interface Condition {
    boolean holds(String text, int from, int to);
  }

  /** Pieces of a whole text; those of its parts share it. */
  private static final class Store {
    private final String text;
    private final int[] starts;
    private final int[] ends;

    /** The strings made so far, and those that differ from the text at their positions. */
    private final @Nullable String[] made;

    private final int size;
    private volatile @Nullable Numbers numbers;

    Store(String text, int[] starts, int[] ends, @Nullable String[] made, int size) {
      this.text = text;
      this.starts = starts;
      this.ends = ends;
      this.made = made;
      this.size = size;
    }

    String get(int index) {
      String piece = made[index];
      if (piece == null) {
        piece = text.substring(starts[index], ends[index]);
        made[index] = piece;
      }
      return piece;
    }

    boolean holds(Condition condition, int index) {
      String piece = made[index];
      return piece == null
          ? condition.holds(text, starts[index], ends[index])
          : condition.holds(piece, 0, piece.length());
    }

    Numbers numbers() {
      Numbers result = numbers;
      if (result == null) {
        result = new Numbers(this);
        numbers = result;
      }
      return result;
    }
  }

  /** A number for each piece, the same for equal pieces. */
  private static final class Numbers {
    private final int[] of;
    private int count;

    Numbers(Store store) {
      of = new int[store.size];
      // Open addressing, at most half full; a slot holds the index of a piece plus 1, or 0.
      int[] slots = new int[4 * Integer.highestOneBit(store.size | 1)];
      int mask = slots.length - 1;
      for (int i = 0; i < store.size; i++) {
        int hash = hash(store, i) * 0x9E3779B9;
        int at = (hash ^ hash >>> 15) & mask;
        while (slots[at] != 0 && !equal(store, slots[at] - 1, i)) {
          at = (at + 1) & mask;
        }
        if (slots[at] == 0) {
          slots[at] = i + 1;
          of[i] = count++;
        } else {
          of[i] = of[slots[at] - 1];
        }
      }
    }

    private static int hash(Store store, int index) {
      String piece = store.made[index];
      if (piece != null) {
        return piece.hashCode();
      }
      int hash = 0;
      for (int i = store.starts[index]; i < store.ends[index]; i++) {
        hash = 31 * hash + store.text.charAt(i); // as String has it
      }
      return hash;
    }

    private static boolean equal(Store store, int a, int b) {
      if (store.made[a] != null || store.made[b] != null) {
        return store.get(a).equals(store.get(b));
      }
      int length = store.ends[a] - store.starts[a];
      return length == store.ends[b] - store.starts[b]
          && store.text.regionMatches(store.starts[a], store.text, store.starts[b], length);
    }
  }

  /** Collects pieces from left to right. */
  public static final class Builder {
    private final String text;
    private int[] starts;
    private int[] ends;
    private @Nullable String @Nullable [] made;
    private int size;

    /** With a capacity for about as many pieces as a text has words. */
    public Builder(String text) {
      this(text, 8 + text.length() / 5);
    }

    /**
     * @param guess expected number of pieces; the capacity grows if there are more
     */
    public Builder(String text, int guess) {
      this.text = text;
      this.starts = new int[guess];
      this.ends = new int[guess];
    }

    /** The text that the pieces are taken from. */
    public String text() {
      return text;
    }

    /** Adds the piece between two positions of the text. */
    public void add(int start, int end) {
      if (size == starts.length) {
        starts = Arrays.copyOf(starts, 2 * size + 1);
        ends = Arrays.copyOf(ends, 2 * size + 1);
      }
      starts[size] = start;
      ends[size++] = end;
    }

    /** Adds a piece that differs from the text between its two positions. */
    public void add(int start, int end, String piece) {
      add(start, end);
      if (made == null || made.length < starts.length) {
        made = made == null ? new String[starts.length] : Arrays.copyOf(made, starts.length);
      }
      made[size - 1] = piece;
    }

    public Pieces build() {
      @Nullable String[] strings =
          made == null ? new String[size] : made.length < size ? Arrays.copyOf(made, size) : made;
      return new Pieces(new Store(text, starts, ends, strings, size), 0, size);
    }
  }

  /** The text that these are pieces of. */
  public String text() {
    return store.text;
  }

  /** The position of a piece in the text. */
  public int start(int index) {
    return store.starts[checked(index)];
  }

  /** The length of a piece in the text, in UTF-16 units. */
  public int length(int index) {
    return store.ends[checked(index)] - store.starts[first + index];
  }

  /**
   * The pieces that begin between two positions of the text; strings are shared with this object.
   */
  public Pieces within(int from, int to) {
    int low = at(from);
    return new Pieces(store, low, at(to) - low);
  }

  /**
   * The pieces that overlap a part of the text, cut at its ends and stripped of white space there.
   * Only for pieces that equal the text at their positions.
   */
  public Pieces cut(int from, int to) {
    int low = first;
    while (low < first + size && store.ends[low] <= from) {
      low++;
    }
    int high = first + size;
    while (high > low && store.starts[high - 1] >= to) {
      high--;
    }
    Builder parts = new Builder(store.text, high - low);
    for (int i = low; i < high; i++) {
      int start = store.starts[i];
      int end = store.ends[i];
      if (start < from) {
        start = from;
        while (start < end && PyChars.isSpace(store.text.charAt(start))) {
          start++;
        }
      }
      if (end > to) {
        end = to;
        while (end > start && PyChars.isSpace(store.text.charAt(end - 1))) {
          end--;
        }
      }
      String piece = store.made[i];
      if (piece == null) {
        parts.add(start, end);
      } else {
        int before = start - store.starts[i];
        parts.add(start, end, piece.substring(before, before + end - start));
      }
    }
    return parts.build();
  }

  /** The pieces that meet a condition, by position. */
  public Pieces filter(Condition condition) {
    Builder kept = new Builder(store.text, 4 + size / 4);
    for (int i = first; i < first + size; i++) {
      if (store.holds(condition, i)) {
        String piece = store.made[i];
        if (piece == null) {
          kept.add(store.starts[i], store.ends[i]);
        } else {
          kept.add(store.starts[i], store.ends[i], piece);
        }
      }
    }
    return kept.build();
  }

  /** The pieces without the given characters at their ends; some may become empty. */
  public Pieces trim(IntPredicate gone) {
    Builder trimmed = new Builder(store.text, size);
    for (int i = first; i < first + size; i++) {
      int start = store.starts[i];
      int end = store.ends[i];
      while (start < end && gone.test(store.text.charAt(start))) {
        start++;
      }
      while (end > start && gone.test(store.text.charAt(end - 1))) {
        end--;
      }
      trimmed.add(start, end);
    }
    return trimmed.build();
  }

  /** How many different pieces there are. */
  public int different() {
    Numbers numbers = store.numbers();
    boolean[] seen = new boolean[numbers.count];
    int different = 0;
    for (int i = first; i < first + size; i++) {
      different += seen[numbers.of[i]] ? 0 : 1;
      seen[numbers.of[i]] = true;
    }
    return different;
  }

  /** How often the most frequent piece occurs; 0 if there are none. */
  public int mostFrequent() {
    Numbers numbers = store.numbers();
    int[] counts = new int[numbers.count];
    int most = 0;
    for (int i = first; i < first + size; i++) {
      most = Math.max(most, ++counts[numbers.of[i]]);
    }
    return most;
  }

  /** The index of the first piece that begins at or after {@code place}. */
  private int at(int place) {
    int found = Arrays.binarySearch(store.starts, first, first + size, place);
    return found < 0 ? -found - 1 : found;
  }

  private int checked(int index) {
    if (index < 0 || index >= size) {
      throw new IndexOutOfBoundsException("piece " + index + " of " + size);
    }
    return first + index;
  }

  @Override
  public String get(int index) {
    return store.get(checked(index));
  }

  @Override
  public int size() {
    return size;
  }
}
