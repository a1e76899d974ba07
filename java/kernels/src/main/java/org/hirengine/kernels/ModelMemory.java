package org.hirengine.kernels;

/**
 * Bytes that a {@link ModelKernel} allocates, beyond what its caller passes in.
 *
 * @param weights packed copies of the weights
 * @param pass a forward pass with its backward pass
 * @param head the head's backward pass
 * @param page {@value #PAGE_TOKENS} tokens of one row in a decoder: keys and values of all layers
 * @param step a step of a decoder
 * @param scratch what all threads keep, approximately
 */
public record ModelMemory(long weights, long pass, long head, long page, long step, long scratch) {

  /** Tokens of a page. */
  public static final int PAGE_TOKENS = 32;

  /** Pages that so many tokens of a row take. */
  public static long pages(long tokens) {
    return (tokens + PAGE_TOKENS - 1) / PAGE_TOKENS;
  }
}
