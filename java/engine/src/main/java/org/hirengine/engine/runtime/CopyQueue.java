package org.hirengine.engine.runtime;

import org.bytedeco.pytorch.Tensor;
import org.hirengine.kernels.Device;

/**
 * Copies between a device's memory and the host's, made one after the other and, on a GPU, beside
 * everything else that it and the host do. What is copied, and where to, must stay as it is until
 * {@link #await} returns.
 */
public interface CopyQueue extends AutoCloseable {

  /** For a device; on the CPU copies are made at once. */
  static CopyQueue of(Device device) {
    return device.kind() == Device.Kind.CUDA ? new CudaCopyQueue(device) : new ImmediateCopies();
  }

  /** Waits for what the device was given to do before, so that copies see it. */
  void begin();

  /**
   * Queues a copy.
   *
   * @param to whose memory is written
   * @param toByte the first byte written, counted from the tensor's first element
   * @param from whose memory is read
   * @param fromByte the first byte read
   */
  void copy(Tensor to, long toByte, Tensor from, long fromByte, long bytes);

  /** Waits for all copies queued so far. */
  void await();

  @Override
  void close();
}
