package org.hirengine.kernels;

import org.jspecify.annotations.Nullable;

/**
 * Decodes with a model, one token at a time: one native call takes a step for a whole batch of
 * rows, each at its own position. Rows occupy places 0 to n - 1, without gaps. All rows that
 * continue a prompt share its keys and values. Weights and rotary tables are those of the {@link
 * ModelKernel} that made the decoder; the positions of the tables limit the length of a row.
 *
 * <p>A row's logits do not depend on other rows of the batch or on the number of threads, bit for
 * bit. On a GPU with more than 8 rows that holds only up to rounding, because cuBLAS chooses its
 * own order of summation; the environment variable HIR_BATCH_INVARIANT=1 avoids cuBLAS. Not
 * thread-safe. Every method throws {@link KernelException} if an argument is out of range or memory
 * runs out.
 */
public interface DecodeKernel extends AutoCloseable {

  /**
   * Stores the keys and values of a prompt. Those of layer l, token t and head h begin at element
   * {@code l * layerStride + t * tokenStride + h * headDim}.
   *
   * @param keys already rotated
   * @param length tokens of the prompt
   * @param dtype of keys and values
   * @return the prompt, for {@link #admit}; {@link #freePrompt} releases it
   */
  long storePrompt(
      long keys, long values, long layerStride, long tokenStride, long length, DType dtype);

  /** Releases a prompt. Rows that continue it keep what they need. */
  void freePrompt(long prompt);

  /**
   * Starts {@code count} rows that continue a prompt, from place {@code first} on. Rows at these
   * places and after them end.
   *
   * @param prompt 0 for rows without a prompt
   */
  void admit(long prompt, int first, int count);

  /** Moves a row to place {@code to}, whose own row ends. */
  void move(int from, int to);

  /** Ends the rows from place {@code rows} on, and keeps their memory for later ones. */
  void keep(int rows);

  /**
   * Number of pages, of {@link ModelMemory#PAGE_TOKENS} tokens, that rows and prompts hold. A
   * prompt takes as many as its tokens need, once for all its rows. Each row begins with a page of
   * its own if the prompt does not fill its last one, and takes another when it appends a token at
   * a position that is a multiple of {@link ModelMemory#PAGE_TOKENS}.
   */
  long pages();

  /**
   * Ends all rows and, where possible, frees their memory if it is more than {@code small} bytes:
   * less is cheaper to keep than to allocate again.
   */
  void release(long small);

  /**
   * Appends one token to each of the first {@code rows} rows; later rows end.
   *
   * @param tokens int64[rows]
   * @param logits float[rows][rowStride], written: logits of the next token
   */
  void step(long tokens, int rows, long logits, long rowStride);

  /**
   * Appends one token to each of the first {@code rows} rows, and draws the next ones from their
   * logits as {@link Kernels#sample} does. Waits for the result. Arrays have at least {@code rows}
   * entries.
   *
   * @param tokens to append; -1 for the token that the last draw gave the row
   * @param vocabulary only ids below it are drawn
   * @param key Philox key, the run's seed
   * @param counters int[rows * 4], one Philox counter per row
   * @param drawn written: the tokens
   * @param logprobs written: log-probs among all ids, under the tempered but unfiltered
   *     distribution
   * @param entropies written: of that distribution, in nats; null for none
   */
  void draw(
      long[] tokens,
      int rows,
      Kernels.Filters filters,
      int vocabulary,
      long key,
      int[] counters,
      long[] drawn,
      float[] logprobs,
      float @Nullable [] entropies);

  @Override
  void close();
}
