package org.hirengine.kernels.testing;

import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;

/**
 * What a provider's test must supply. The tests are default methods of the contracts that extend
 * this interface.
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

  /** Creates buffers in {@link #memory}; the test closes them. */
  default Buffers buffers() {
    return new Buffers(memory());
  }

  /** Tolerance of a log-prob or an entropy in float32 arithmetic, relative to 1 + its magnitude. */
  default double tolerance() {
    return 3e-6;
  }
}
