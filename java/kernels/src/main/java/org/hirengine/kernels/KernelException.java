package org.hirengine.kernels;

/**
 * A kernel refused its arguments, found a NaN or could not run. The message names the kernel, the
 * argument or row, and the remedy.
 */
public final class KernelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Why a kernel failed, numbered as in {@code native/include/hir_kernels.h}. */
  public enum Reason {
    /** An argument is out of range. */
    INVALID(1),
    /** NaN, +inf or a row without a finite logit among the inputs. */
    NOT_FINITE(2),
    /** This machine or build cannot run the kernel, or the device failed. */
    UNSUPPORTED(3),
    /** Memory ran out. */
    NO_MEMORY(4);

    private final int code;

    Reason(int code) {
      this.code = code;
    }

    static Reason of(int code) {
      for (Reason reason : values()) {
        if (reason.code == code) {
          return reason;
        }
      }
      return INVALID;
    }
  }

  private final Reason reason;

  /** An argument is out of range. */
  public KernelException(String message) {
    this(Reason.INVALID, message);
  }

  public KernelException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  public KernelException(String message, Throwable cause) {
    super(message, cause);
    this.reason = Reason.UNSUPPORTED;
  }

  public Reason reason() {
    return reason;
  }

  /** Whether the data is at fault, and not the caller or the machine. */
  public boolean notFinite() {
    return reason == Reason.NOT_FINITE;
  }
}
