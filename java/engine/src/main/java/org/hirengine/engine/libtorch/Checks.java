package org.hirengine.engine.libtorch;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.KernelException;
import org.hirengine.kernels.KernelException.Reason;

/** Checks of the kernels' arguments, with their messages. */
final class Checks {

  private Checks() {}

  static void argument(boolean valid, String kernel, String rule, Number found) {
    if (!valid) {
      throw new KernelException(kernel + ": " + rule + ", not " + found);
    }
  }

  /** A row's maximum is finite unless it holds a NaN or +inf, or nothing but -inf. */
  static void logits(String kernel, Tensor logits) {
    float[] maxima = Tensors.floats(logits.amax(new long[] {1}, false).to(ScalarType.Float).cpu());
    for (int row = 0; row < maxima.length; row++) {
      if (!Float.isFinite(maxima[row])) {
        throw new KernelException(
            Reason.NOT_FINITE,
            kernel
                + ": the logits of row "
                + row
                + " hold a NaN or +inf, or no finite value (maximum "
                + maxima[row]
                + ")");
      }
    }
  }

  static void targets(String kernel, long[] targets, long cols) {
    for (int row = 0; row < targets.length; row++) {
      if (targets[row] < 0 || targets[row] >= cols) {
        throw new KernelException(
            kernel
                + ": the target of row "
                + row
                + " is "
                + targets[row]
                + ", not in [0, "
                + cols
                + ")");
      }
    }
  }
}
