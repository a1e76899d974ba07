package org.hirengine.kernels.testing;

import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;

/**
 * What a provider's test supplies; the tests themselves are the default methods of the contracts
 * that extend this.
 */
public interface KernelsUnderTest {

  Kernels kernels();

  default Device device() {
    return Device.CPU;
  }

  /** The memory of {@link #device}. */
  default Memory memory() {
    return Memory.HOST;
  }

  /** Buffers in {@link #memory}, which the test closes. */
  default Buffers buffers() {
    return new Buffers(memory());
  }

  /** Error of a log-prob or an entropy relative to 1 + its size, float32 arithmetic. */
  default double tolerance() {
    return 3e-6;
  }
}
