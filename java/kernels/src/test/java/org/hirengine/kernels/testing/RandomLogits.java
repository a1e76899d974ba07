package org.hirengine.kernels.testing;

import java.util.Arrays;
import java.util.Random;
import org.hirengine.kernels.DType;

/**
 * Awkward logits: strides, -inf, huge values, peaked and flat rows. Gaps between rows are NaN, to
 * catch a kernel that reads them.
 */
final class RandomLogits {
  final int rows;
  final int cols;
  final int stride;
  final DType dtype;
  final float[] values;
  final long[] targets;

  RandomLogits(int rows, int cols, int gap, DType dtype, long seed) {
    this.rows = rows;
    this.cols = cols;
    this.stride = cols + gap;
    this.dtype = dtype;
    this.values = new float[(rows - 1) * stride + cols];
    this.targets = new long[rows];
    Random random = new Random(seed);
    Arrays.fill(values, Float.NaN);
    for (int r = 0; r < rows; r++) {
      int kind = (int) ((r + seed) % 6);
      for (int j = 0; j < cols; j++) {
        double x = random.nextGaussian();
        x =
            switch (kind) {
              case 0 -> 3 * x;
              case 1 -> 50 * x;
              case 2 -> 0.01 * x;
              case 3 -> 10_000 + 2 * x;
              case 4 -> 3e4 * x;
              default -> random.nextInt(3) == 0 ? Double.NEGATIVE_INFINITY : 4 * x;
            };
        values[r * stride + j] = (float) x;
      }
      int target = random.nextInt(cols);
      targets[r] = target;
      if (values[r * stride + target] == Float.NEGATIVE_INFINITY) {
        values[r * stride + target] = 1;
      }
    }
    if (dtype == DType.BFLOAT16) {
      float[] rounded = Bf16.widen(Bf16.round(values));
      System.arraycopy(rounded, 0, values, 0, values.length);
    }
  }

  Softmax softmax(int row, double temperature) {
    return new Softmax(values, row * stride, cols, temperature);
  }
}
