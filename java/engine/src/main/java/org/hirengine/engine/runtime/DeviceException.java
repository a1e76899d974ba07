package org.hirengine.engine.runtime;

import java.util.Locale;
import org.hirengine.kernels.KernelException;

/**
 * This machine lacks what a run asks for: native libraries, the device, or enough of its memory.
 */
public final class DeviceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String remedy;

  public DeviceException(String message, String remedy) {
    super(message);
    this.remedy = remedy;
  }

  /** What to do about it. */
  public String remedy() {
    return remedy;
  }

  /**
   * Whether a kernel or LibTorch could not have the memory that it asked for, so that less work at
   * once may do.
   */
  public static boolean isOutOfMemory(RuntimeException e) {
    if (e instanceof KernelException kernel) {
      return kernel.reason() == KernelException.Reason.NO_MEMORY;
    }
    String lower = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    return lower.contains("out of memory")
        || lower.contains("out of gpu memory")
        || lower.contains("can't allocate memory");
  }

  /**
   * Translates an exception of LibTorch or of a kernel: into one that names the keys to lower where
   * the device ran out of memory, otherwise returns it unchanged.
   */
  public static RuntimeException explain(RuntimeException e) {
    if (e instanceof DeviceException) {
      return e;
    }
    if (!isOutOfMemory(e)) {
      return e;
    }
    String message = String.valueOf(e.getMessage());
    DeviceException explained =
        new DeviceException(
            message.lines().findFirst().orElse(message),
            "while updating, lower train.micro_tokens or set train.recompute=layers; while"
                + " sampling, lower sampling.cache_gib or sampling.batch; dtype=bfloat16 halves"
                + " activations");
    explained.initCause(e);
    return explained;
  }
}
