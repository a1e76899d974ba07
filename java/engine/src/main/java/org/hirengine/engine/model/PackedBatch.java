package org.hirengine.engine.model;

import java.util.Arrays;

/**
 * Token sequences concatenated, without padding: the input of the training forward.
 *
 * <p>A segment may continue another one, its prefix: its tokens then attend to the whole prefix and
 * to earlier tokens of the segment, and their positions continue from it. So the prompt of a group
 * of responses is computed once, and receives the gradients of all of them.
 *
 * @param ids token ids of all segments, concatenated
 * @param lengths tokens of each segment, each at least 1
 * @param prefixes for each segment the index of the earlier segment that it continues, which itself
 *     continues none, or -1
 */
public record PackedBatch(int[] ids, int[] lengths, int[] prefixes) {

  public PackedBatch {
    if (prefixes.length != lengths.length) {
      throw new IllegalArgumentException(
          prefixes.length + " prefixes for " + lengths.length + " segments");
    }
    long total = 0;
    for (int i = 0; i < lengths.length; i++) {
      if (lengths[i] < 1) {
        throw new IllegalArgumentException("segment " + i + " is empty");
      }
      total += lengths[i];
      int prefix = prefixes[i];
      if (prefix >= i || (prefix >= 0 && prefixes[prefix] >= 0)) {
        throw new IllegalArgumentException(
            "segment " + i + " continues " + prefix + ", which is no earlier first segment");
      }
    }
    if (total != ids.length) {
      throw new IllegalArgumentException(
          ids.length + " tokens for segments of " + total + " tokens in all");
    }
  }

  /**
   * Refuses what the model cannot process.
   *
   * @throws IllegalArgumentException for a token outside the vocabulary, or a sequence longer than
   *     the model's positions
   */
  void check(ModelConfig config) {
    for (int id : ids) {
      config.checkToken(id);
    }
    if (longest() > config.maxPositions()) {
      throw new IllegalArgumentException(
          "a sequence of "
              + longest()
              + " tokens is longer than the model's "
              + config.maxPositions()
              + " positions; lower limits.prompt or limits.response");
    }
  }

  /** Independent sequences, none continuing another. */
  public PackedBatch(int[] ids, int[] lengths) {
    this(ids, lengths, none(lengths.length));
  }

  private static int[] none(int segments) {
    int[] prefixes = new int[segments];
    Arrays.fill(prefixes, -1);
    return prefixes;
  }

  public int tokens() {
    return ids.length;
  }

  public int segments() {
    return lengths.length;
  }

  /** Row of each segment's first token in {@link #ids}. */
  public int[] starts() {
    int[] starts = new int[lengths.length];
    for (int i = 1; i < starts.length; i++) {
      starts[i] = starts[i - 1] + lengths[i - 1];
    }
    return starts;
  }

  /** Number of tokens in the prefix of segment {@code i}. */
  public int prefixLength(int i) {
    return prefixes[i] < 0 ? 0 : lengths[prefixes[i]];
  }

  /** Position of each token in its sequence, prefix included. */
  public int[] positions() {
    int[] positions = new int[ids.length];
    int row = 0;
    for (int i = 0; i < lengths.length; i++) {
      int first = prefixLength(i);
      for (int t = 0; t < lengths[i]; t++) {
        positions[row++] = first + t;
      }
    }
    return positions;
  }

  /** Tokens of the longest sequence, prefix included. */
  public int longest() {
    int longest = 0;
    for (int i = 0; i < lengths.length; i++) {
      longest = Math.max(longest, prefixLength(i) + lengths[i]);
    }
    return longest;
  }
}
