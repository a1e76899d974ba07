package org.hirengine.engine.distributed;

import java.util.Arrays;
import java.util.function.LongUnaryOperator;

/**
 * How the elements of a flat buffer are dealt over the ranks: in consecutive pieces, as many for
 * each rank (ZeRO stage 1).
 *
 * <p>What is summed over a piece, and then over the pieces in order, does not depend on how many
 * ranks share them.
 */
public final class Shards {

  /** A part of the buffer. */
  public record Piece(long first, long count) {}

  /** Where the pieces begin, and the buffer's end. */
  private final long[] bounds;

  private final int ranks;
  private final int rank;

  private Shards(long[] bounds, int ranks, int rank) {
    this.bounds = bounds;
    this.ranks = ranks;
    this.rank = rank;
  }

  /**
   * About equal pieces.
   *
   * @param size elements of the buffer
   * @param pieces a multiple of the ranks
   * @param cut moves a bound to the nearest place before it where the buffer may be cut
   */
  public static Shards of(ProcessGroup group, long size, int pieces, LongUnaryOperator cut) {
    if (pieces % group.size() != 0) {
      throw new IllegalArgumentException(pieces + " pieces for " + group.size() + " ranks");
    }
    long[] bounds = new long[pieces + 1];
    for (int i = 1; i < pieces; i++) {
      bounds[i] = cut.applyAsLong(size / pieces * i + size % pieces * i / pieces);
    }
    bounds[pieces] = size;
    return new Shards(bounds, group.size(), group.rank());
  }

  /** A buffer that every rank has for itself. */
  public static Shards whole(long size) {
    return new Shards(new long[] {0, size}, 1, 0);
  }

  /** Whether this rank has all of it. */
  public boolean whole() {
    return ranks == 1;
  }

  /** This rank's first element. */
  public long first() {
    return begin(rank);
  }

  /** How many elements this rank has. */
  public long count() {
    return begin(rank + 1) - begin(rank);
  }

  /** Elements of the buffer. */
  public long size() {
    return bounds[bounds.length - 1];
  }

  /** Where a rank's shard begins; for the number of ranks, the buffer's end. */
  long begin(int ofRank) {
    return bounds[(bounds.length - 1) / ranks * ofRank];
  }

  /** This rank's pieces, in order. */
  public Piece[] pieces() {
    int each = (bounds.length - 1) / ranks;
    Piece[] pieces = new Piece[each];
    for (int i = 0; i < each; i++) {
      long first = bounds[rank * each + i];
      pieces[i] = new Piece(first, bounds[rank * each + i + 1] - first);
    }
    return pieces;
  }

  /**
   * The same shares of another buffer.
   *
   * @param place where an element of this buffer is in the other
   */
  public Shards in(LongUnaryOperator place) {
    return new Shards(Arrays.stream(bounds).map(place).toArray(), ranks, rank);
  }
}
