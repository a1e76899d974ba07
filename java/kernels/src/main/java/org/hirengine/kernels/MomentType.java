package org.hirengine.kernels;

/** How the optimizer stores its moments; arithmetic is always in float32. */
public enum MomentType {
  /** 4 bytes. */
  FLOAT32(0, 4),
  /** 2 bytes, rounded at random so that the mean stays right. */
  BFLOAT16(1, 2),
  /** 1 byte, in blocks of {@link #BLOCK} that share a scale, also rounded at random. */
  INT8(16, 1);

  /** Elements of a block. */
  public static final int BLOCK = 256;

  /** The value in {@code native/include/hir_kernels.h}. */
  public final int code;

  /** Size of an element, without its share of the scale. */
  public final int bytes;

  MomentType(int code, int bytes) {
    this.code = code;
    this.bytes = bytes;
  }
}
