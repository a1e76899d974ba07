package org.hirengine.engine.runtime;

import java.util.Locale;

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
   * Translates an exception of LibTorch or of a kernel: into one that names the keys to lower where
   * the device ran out of memory, otherwise returns it unchanged.
   */
  public static RuntimeException explain(RuntimeException e) {
    if (e instanceof DeviceException) {
      return e;
    }
    String message = String.valueOf(e.getMessage());
    String lower = message.toLowerCase(Locale.ROOT);
    boolean exhausted =
        lower.contains("out of memory")
            || lower.contains("out of gpu memory")
            || lower.contains("can't allocate memory");
    if (!exhausted) {
      return e;
    }
    DeviceException explained =
        new DeviceException(
            message.lines().findFirst().orElse(message),
            "while updating, lower train.micro_tokens or set train.recompute=true; while sampling,"
                + " lower sampling.cache_gib or sampling.batch; dtype=bfloat16 halves"
                + " activations");
    explained.initCause(e);
    return explained;
  }
}
