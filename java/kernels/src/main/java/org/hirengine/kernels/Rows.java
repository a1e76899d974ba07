package org.hirengine.kernels;

/**
 * A row-major matrix of logits in native memory: {@code rows} x {@code cols} elements of {@code
 * dtype}, rows {@code rowStride} elements apart, columns contiguous. Where the matrix is only read,
 * a stride of 0 repeats one row.
 */
public record Rows(long address, long rows, long cols, long rowStride, DType dtype) {}
