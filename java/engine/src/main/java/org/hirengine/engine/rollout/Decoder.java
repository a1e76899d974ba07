package org.hirengine.engine.rollout;

import org.hirengine.engine.model.NativeModel;
import org.hirengine.engine.model.Policy;
import org.hirengine.kernels.DecodeKernel;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.ModelMemory;

/**
 * Runs the model one token at a time, over a cache of keys and values. Rows being decoded occupy
 * places 0 to n - 1, without gaps; the engine moves the last one into a place that becomes free.
 */
interface Decoder extends AutoCloseable {

  /** The kernels' decoder for the policy if there is one, else LibTorch's operators. */
  static Decoder of(Policy policy, Kernels kernels) {
    NativeModel model = policy.model();
    return model != null && kernels.runModels()
        ? new NativeDecoder(policy, model)
        : new LibTorchDecoder(policy);
  }

  /**
   * Starts over with the policy's current weights; all places become empty.
   *
   * @param places most rows at a time
   * @param capacity most tokens of a row, its prompt included
   */
  void begin(int places, int capacity);

  /** Whether log-probs and entropies are, bit for bit, those that scoring computes. */
  boolean exact();

  /** Bytes that {@link ModelMemory#PAGE_TOKENS} tokens of a row take in the cache. */
  long pageBytes();

  /**
   * Bytes that a row takes at least: a page where rows take pages as they grow, else all that
   * {@code capacity} tokens need.
   */
  long rowBytes(int capacity);

  /**
   * Number of pages that rows and prompts hold, counted as {@link DecodeKernel#pages} says; 0 where
   * places have their memory from the start.
   */
  long pages();

  /** Ends all rows and gives back what is large. */
  void release();

  /** A prompt in the cache. */
  interface Stored extends AutoCloseable {

    /** Puts {@code count} rows that continue it into places {@code first} and following. */
    void admit(int first, int count);

    /** Rows that continue it keep what they need. */
    @Override
    void close();
  }

  /**
   * Stores a prompt, for all rows that continue it.
   *
   * @param prefill stays open until the result is closed
   */
  Stored store(Prefill prefill, int prompt);

  /** Ends the rows from place {@code rows} on. */
  void keep(int rows);

  /** Moves a row to another place. */
  void move(int from, int to);

  /**
   * Appends one token to each of the first {@code rows} rows and draws the next ones.
   *
   * @param tokens of place 0 and following
   * @param draws has the rows' random numbers, and gets what is drawn
   */
  void draw(long[] tokens, int rows, TokenSampler draws, RolloutParams params, long key);

  @Override
  void close();
}
