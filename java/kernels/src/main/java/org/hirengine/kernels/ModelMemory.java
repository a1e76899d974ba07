package org.hirengine.kernels;

/**
 * Bytes that a {@link ModelKernel} allocates for itself, beside what its caller gives it.
 *
 * @param weights packed copies
 * @param pass a forward and its backward
 * @param head a head's backward
 * @param page 32 tokens of one row in a decoder: keys and values of all layers
 * @param step a decoder's step
 * @param scratch what threads keep, about
 */
public record ModelMemory(long weights, long pass, long head, long page, long step, long scratch) {

  /** Tokens of a page. */
  public static final int PAGE_TOKENS = 32;
}
