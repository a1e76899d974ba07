package org.hirengine.engine.experience;

import java.util.SplittableRandom;
import org.hirengine.engine.experience.Randoms.Purpose;

/**
 * Endless passes over {@code size} items. Each pass has its own order, which depends only on the
 * seed and the number of the pass, so the position is the only state.
 */
public final class DataOrder {

  private final int size;
  private final boolean shuffle;
  private final Randoms randoms;
  private final int[] order;
  private long orderOfPass = -1;
  private long position;

  public DataOrder(int size, boolean shuffle, Randoms randoms) {
    if (size < 1) {
      throw new IllegalArgumentException("no items to go through");
    }
    this.size = size;
    this.shuffle = shuffle;
    this.randoms = randoms;
    order = new int[size];
  }

  /** Items taken so far. */
  long position() {
    return position;
  }

  /** Continues from another run's position. */
  void restore(long savedPosition) {
    position = savedPosition;
  }

  /** The index of the next item. */
  public int next() {
    long pass = position / size;
    if (pass != orderOfPass) {
      arrange(pass);
    }
    return order[(int) (position++ % size)];
  }

  private void arrange(long pass) {
    for (int i = 0; i < size; i++) {
      order[i] = i;
    }
    if (shuffle) {
      SplittableRandom random = randoms.stream(Purpose.DATA_ORDER, pass);
      for (int i = size - 1; i > 0; i--) {
        int j = random.nextInt(i + 1);
        int kept = order[i];
        order[i] = order[j];
        order[j] = kept;
      }
    }
    orderOfPass = pass;
  }
}
