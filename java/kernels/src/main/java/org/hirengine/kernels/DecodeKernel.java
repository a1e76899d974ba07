package org.hirengine.kernels;

/**
 * Decodes with a model, one token at a time: one native call runs a step for a whole batch of rows,
 * each at its own position. Rows occupy places 0 to n - 1, without gaps. The keys and values of a
 * prompt are stored once for all rows that continue it. It uses the weights and rotary tables of
 * the {@link ModelKernel} that made it, so a row can have as many tokens as the tables have
 * positions.
 *
 * <p>A row's logits depend neither on the other rows of the batch nor on the number of threads, bit
 * for bit; on a GPU with more than 8 rows only up to rounding, because cuBLAS chooses its own order
 * of summation (the environment variable HIR_BATCH_INVARIANT=1 avoids cuBLAS). Not for use by
 * several threads at once. Every method throws {@link KernelException} when an argument is out of
 * range or memory runs out.
 */
public interface DecodeKernel extends AutoCloseable {

  /**
   * Stores a prompt's keys and values. Those of layer l, token t, head h begin at element {@code l
   * * layerStride + t * tokenStride + h * headDim}.
   *
   * @param keys rotated
   * @return the prompt, for {@link #admit}; {@link #freePrompt} releases it; rows that continue it
   *     keep what they need
   */
  long prompt(long keys, long values, long layerStride, long tokenStride, long length, DType dtype);

  void freePrompt(long prompt);

  /**
   * Starts rows that continue a prompt, at places {@code first} and following. Rows at these places
   * and after them end.
   *
   * @param prompt 0 for rows without a prompt
   */
  void admit(long prompt, int first, int count);

  /** Moves the row at {@code from} to place {@code to}, whose own row ends. */
  void move(int from, int to);

  /** Ends all rows; their memory stays, for the rows to come. */
  void clear();

  /**
   * Ends all rows and gives back their memory where that can be, unless it is at most {@code small}
   * bytes: those cost less to keep than to find again.
   */
  void release(long small);

  /**
   * Appends one token to each of the first {@code rows} rows; later rows end.
   *
   * @param tokens int64[rows]
   * @param logits float[rows][rowStride], written: of the next token
   */
  void step(long tokens, int rows, long logits, long rowStride);

  /**
   * Appends one token to each of the first {@code rows} rows and draws the next ones from their
   * logits, as {@link Kernels#sample} does; waits. Arrays have at least {@code rows} entries.
   *
   * @param tokens to append; -1 is what the last draw gave the row
   * @param vocabulary only ids below it are drawn
   * @param counters four words of the generator a row
   * @param drawn written
   * @param logprobs written: among all ids, under the tempered, unfiltered distribution
   */
  void draw(
      long[] tokens,
      int rows,
      Kernels.Filters filters,
      int vocabulary,
      long key,
      int[] counters,
      long[] drawn,
      float[] logprobs);

  @Override
  void close();
}
