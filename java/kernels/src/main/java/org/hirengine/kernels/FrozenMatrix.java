package org.hirengine.kernels;

/**
 * A matrix [out, in] that does not change, and perhaps an adapter on it (LoRA): W + scale B A.
 *
 * @param data address of its rows, each of whole blocks
 * @param mapped whether {@code data} is a read-only mapping of a file, whose pages leave memory
 *     once they are packed
 * @param head rows of a head whose two halves take turns, as GGUF files of llama have queries and
 *     keys; 0 for rows in order
 * @param rank 0 for no adapter
 * @param a address of float[rank][in]
 * @param b address of float[out][rank]
 * @param aGradient where a backward adds A's gradient, and {@code bGradient} B's; 0 for an adapter
 *     that is not trained
 */
public record FrozenMatrix(
    long data,
    Storage storage,
    boolean mapped,
    int head,
    int rank,
    double scale,
    long a,
    long b,
    long aGradient,
    long bGradient) {

  /** How values are stored. */
  public enum Storage {
    FLOAT32(0),
    BFLOAT16(1),
    FLOAT16(2),
    Q8_0(3),
    Q4_0(4),
    Q4_K(5),
    Q6_K(6);

    /** The value in {@code native/include/hir_kernels.h}. */
    public final int code;

    Storage(int code) {
      this.code = code;
    }

    /** That of a model's own type. */
    public static Storage of(DType dtype) {
      return dtype == DType.FLOAT32 ? FLOAT32 : BFLOAT16;
    }
  }

  /** Without an adapter. */
  public static FrozenMatrix plain(long data, Storage storage, boolean mapped, int head) {
    return new FrozenMatrix(data, storage, mapped, head, 0, 0, 0, 0, 0, 0);
  }

  /** With an adapter. */
  public FrozenMatrix adapted(
      int withRank, double withScale, long atA, long atB, long gradientOfA, long gradientOfB) {
    return new FrozenMatrix(
        data, storage, mapped, head, withRank, withScale, atA, atB, gradientOfA, gradientOfB);
  }
}
