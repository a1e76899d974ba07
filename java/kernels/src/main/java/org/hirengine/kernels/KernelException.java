package org.hirengine.kernels;

/**
 * A kernel refused its arguments, met a NaN or could not run; the message says which kernel, which
 * argument or row, and what to do.
 */
public final class KernelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Why a kernel gave up, as {@code native/include/hir_kernels.h} numbers it. */
  public enum Reason {
    /** An argument is out of range. */
    INVALID(1),
    /** NaN, +inf or a row without a finite logit among the inputs. */
    NOT_FINITE(2),
    /** This machine or this build cannot run it, or the device has failed. */
    UNSUPPORTED(3),
    /** Memory could not be had. */
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

  /** An argument that is out of range. */
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

  /** Whether the numbers are at fault, not the caller or the machine. */
  public boolean notFinite() {
    return reason == Reason.NOT_FINITE;
  }
}
