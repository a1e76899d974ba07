package org.hirengine.kernels;

/** Element types that kernels take. */
public enum DType {
  FLOAT32(0, 4),
  BFLOAT16(1, 2);

  /** The value in {@code native/include/hir_kernels.h}. */
  public final int code;

  /** Size of an element. */
  public final int bytes;

  DType(int code, int bytes) {
    this.code = code;
    this.bytes = bytes;
  }
}
