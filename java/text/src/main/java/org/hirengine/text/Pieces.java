package org.hirengine.text;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.RandomAccess;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Pieces of a text, such as its words, in order, each with its place. A piece becomes a string when
 * it is asked for: counting makes none.
 *
 * <p>Safe for use by any number of threads.
 */
public final class Pieces extends AbstractList<String> implements RandomAccess {

  private final String text;
  private final int[] starts;
  private final int[] ends;
  private final @Nullable String[] made;
  private final int first;
  private final int size;

  private Pieces(
      String text, int[] starts, int[] ends, @Nullable String[] made, int first, int size) {
    this.text = text;
    this.starts = starts;
    this.ends = ends;
    this.made = made;
    this.first = first;
    this.size = size;
  }

  /** Collects pieces from left to right. */
  public static final class Builder {
    private final String text;
    private int[] starts;
    private int[] ends;
    private @Nullable String @Nullable [] made;
    private int size;

    public Builder(String text) {
      this.text = text;
      int guess = 8 + text.length() / 5;
      this.starts = new int[guess];
      this.ends = new int[guess];
    }

    /** The piece between two places of the text. */
    public void add(int start, int end) {
      if (size == starts.length) {
        starts = Arrays.copyOf(starts, 2 * size);
        ends = Arrays.copyOf(ends, 2 * size);
      }
      starts[size] = start;
      ends[size++] = end;
    }

    /** A piece that is not all of what stands between two places of the text. */
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
      return new Pieces(text, starts, ends, strings, 0, size);
    }
  }

  /** The text that these are pieces of. */
  public String text() {
    return text;
  }

  /** Those that begin between two places of the text, sharing what is made of them. */
  public Pieces within(int from, int to) {
    int low = at(from);
    return new Pieces(text, starts, ends, made, low, at(to) - low);
  }

  /** Those that meet a condition, at their places. */
  public Pieces filter(Predicate<String> condition) {
    Builder kept = new Builder(text);
    for (int i = 0; i < size; i++) {
      String piece = get(i);
      if (condition.test(piece)) {
        kept.add(starts[first + i], ends[first + i], piece);
      }
    }
    return kept.build();
  }

  /** The number of the first piece that begins at {@code place} or after it. */
  private int at(int place) {
    int found = Arrays.binarySearch(starts, first, first + size, place);
    return found < 0 ? -found - 1 : found;
  }

  @Override
  public String get(int index) {
    if (index < 0 || index >= size) {
      throw new IndexOutOfBoundsException("piece " + index + " of " + size);
    }
    String piece = made[first + index];
    if (piece == null) {
      piece = text.substring(starts[first + index], ends[first + index]);
      made[first + index] = piece;
    }
    return piece;
  }

  @Override
  public int size() {
    return size;
  }
}
