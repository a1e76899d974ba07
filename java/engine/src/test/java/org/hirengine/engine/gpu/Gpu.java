package org.hirengine.engine.gpu;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.testing.Memory;

/**
 * The GPU for tests with the tag {@code gpu}, if there is one: {@code mvn -Pgpu test -Dgroups=gpu}
 * runs them all.
 */
final class Gpu {

  static final Device DEVICE = new Device(Device.Kind.CUDA, 0, 0);

  private Gpu() {}

  /** Returns the CUDA kernels; skips the test with the reason if they cannot run. */
  static Kernels kernels() {
    NativeRuntime.load();
    Optional<String> reason = NativeRuntime.whyNoCuda();
    assumeTrue(reason.isEmpty(), () -> "skipped: " + reason.orElseThrow());
    return NativeRuntime.kernels(Device.Kind.CUDA);
  }

  /** Memory of a test's buffers, as tensors on the GPU. */
  static final Memory MEMORY =
      content -> {
        long bytes = content.capacity() * content.sizeof();
        Tensor there;
        try (content;
            Tensor here = Tensors.empty(ScalarType.Byte, bytes)) {
          Pointer.memcpy(here.data_ptr(), content, bytes);
          there = Tensors.own(Tensors.to(DEVICE, here));
        }
        return new Memory.Block() {
          @Override
          public long address() {
            return Tensors.address(there);
          }

          @Override
          public void read(Pointer target, long count) {
            try (Tensor back = there.cpu()) {
              Pointer.memcpy(target, new BytePointer(back.data_ptr()), count);
            }
          }

          @Override
          public void close() {
            there.close();
          }
        };
      };
}
