package org.hirengine.kernels;

/** How an optimizer's moments are stored; arithmetic is float32 with each. */
public enum MomentType {
  /** 4 bytes. */
  FLOAT32(0, 4),
  /** 2 bytes, rounded at random: up with the probability of the distance from below. */
  BFLOAT16(1, 2),
  /** 1 byte in blocks of {@link #BLOCK} that share a scale, rounded at random too. */
  INT8(16, 1);

  /** Elements that share a scale. */
  public static final int BLOCK = 256;

  /** The value in {@code native/include/hir_kernels.h}. */
  public final int code;

  /** Of one element, its share of the scale apart. */
  public final int bytes;

  MomentType(int code, int bytes) {
    this.code = code;
    this.bytes = bytes;
  }
}
