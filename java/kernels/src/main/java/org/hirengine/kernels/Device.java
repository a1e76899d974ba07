package org.hirengine.kernels;

/**
 * The device that a pointer belongs to, and the stream that its work is queued on.
 *
 * @param index of the GPU; 0 on the CPU
 * @param stream address of the CUDA stream; 0 on the CPU, and for CUDA's default stream
 */
public record Device(Kind kind, int index, long stream) {

  /** Kinds of device. */
  public enum Kind {
    CPU,
    CUDA
  }

  public static final Device CPU = new Device(Kind.CPU, 0, 0);
}
