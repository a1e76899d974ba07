package org.hirengine.kernels;

/**
 * A frozen matrix W [out, in], with or without an adapter (LoRA): W + scale B A.
 *
 * @param data address of W, whose rows are whole blocks of {@code storage}
 * @param mapped whether {@code data} is a read-only mapping of a file; its pages are then dropped
 *     from memory once they are packed
 * @param head rows of a head whose two halves are interleaved, as for queries and keys in GGUF
 *     files of llama; 0 for rows in order
 * @param rank 0 for no adapter
 * @param a address of float[rank][in]
 * @param b address of float[out][rank]
 * @param aGradient where the backward pass adds A's gradient, float[rank][in]; 0 for an adapter
 *     that is not trained
 * @param bGradient the same for B, float[out][rank]
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

  /** How elements are stored: numbers, or blocks of GGUF files. */
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

    /** The storage of plain elements of this type. */
    public static Storage of(DType dtype) {
      return dtype == DType.FLOAT32 ? FLOAT32 : BFLOAT16;
    }
  }

  /** A matrix without an adapter. */
  public static FrozenMatrix plain(long data, Storage storage, boolean mapped, int head) {
    return new FrozenMatrix(data, storage, mapped, head, 0, 0, 0, 0, 0, 0);
  }

  /** The same matrix with an adapter. */
  public FrozenMatrix adapted(
      int withRank, double withScale, long atA, long atB, long gradientOfA, long gradientOfB) {
    return new FrozenMatrix(
        data, storage, mapped, head, withRank, withScale, atA, atB, gradientOfA, gradientOfB);
  }
}
