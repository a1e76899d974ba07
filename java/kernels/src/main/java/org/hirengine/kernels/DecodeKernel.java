package org.hirengine.kernels;

/**
 * A model one token at a time: every step of a batch of rows, each at its own position, is one
 * native call. Rows lie at places 0 to n - 1, without gaps. The keys and values of a prompt are
 * stored once for all rows that continue it. Weights and rotary tables are those of the {@link
 * ModelKernel} that it was made by: a row can grow to as many tokens as the tables have positions.
 *
 * <p>A row's logits depend neither on the other rows of the batch nor on the number of threads, bit
 * for bit; on a GPU, with more than 8 rows, within rounding, because cuBLAS adds in an order of its
 * own (the environment variable HIR_BATCH_INVARIANT=1 leaves it out). Not for use by several
 * threads at once. Every method throws {@link KernelException} when an argument is out of range or
 * memory runs out.
 */
public interface DecodeKernel extends AutoCloseable {

  /**
   * Stores a prompt's keys and values. Those of layer l, token t, head h begin at element {@code l
   * * layerStride + t * tokenStride + h * headDim}.
   *
   * @param keys rotated
   * @return the prompt, for {@link #admit}; {@link #freePrompt} lets it go, rows that continue it
   *     keep what they need
   */
  long prompt(long keys, long values, long layerStride, long tokenStride, long length, DType dtype);

  void freePrompt(long prompt);

  /**
   * Puts rows that continue a prompt at places {@code first} and following; rows that were there,
   * and those behind, end.
   *
   * @param prompt 0 for rows that begin with nothing
   */
  void admit(long prompt, int first, int count);

  /** Puts the row at {@code from} at place {@code to}, whose row ends. */
  void move(int from, int to);

  /** Ends all rows. */
  void clear();

  /**
   * Appends one token to each of the first {@code rows} rows; those behind end.
   *
   * @param tokens int64[rows]
   * @param logits float[rows][rowStride], written: of the next token
   */
  void step(long tokens, int rows, long logits, long rowStride);

  @Override
  void close();
}
