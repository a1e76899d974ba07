package org.hirengine.engine.runtime;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.SizeTPointer;
import org.bytedeco.pytorch.global.torch;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.KernelException;
import org.jspecify.annotations.Nullable;

/**
 * Memory of a GPU as its driver counts it: of all processes, including blocks that LibTorch has
 * cached.
 *
 * @param free bytes that are free
 * @param total bytes in all
 */
public record DeviceMemory(long free, long total) {

  public static final long GIB = 1L << 30;

  /** A GPU's; empty where the CUDA runtime cannot be asked. */
  public static Optional<DeviceMemory> ofGpu(int index) {
    try {
      Loader.load(cudart.class);
    } catch (LinkageError e) {
      return Optional.empty();
    }
    try (SizeTPointer free = new SizeTPointer(1);
        SizeTPointer total = new SizeTPointer(1)) {
      boolean known =
          cudart.cudaSetDevice(index) == cudart.cudaSuccess
              && cudart.cudaMemGetInfo(free, total) == cudart.cudaSuccess;
      return known ? Optional.of(new DeviceMemory(free.get(), total.get())) : Optional.empty();
    }
  }

  /** Bytes in use: of the whole device on a GPU, resident ones of this process on the CPU. */
  public static OptionalLong used(Device device) {
    if (device.kind() == Device.Kind.CPU) {
      return resident();
    }
    Optional<DeviceMemory> memory = ofGpu(device.index());
    return memory.isPresent()
        ? OptionalLong.of(memory.get().total - memory.get().free)
        : OptionalLong.empty();
  }

  /**
   * Runs a call of kernels. Where it finds no memory on a GPU, LibTorch's cache is given back to
   * the driver and the call runs once more: the two allocators do not know of each other.
   *
   * @param call leaves things as they were where memory is out
   */
  public static void withRoom(Device device, Runnable call) {
    withRoom(call, device.kind() == Device.Kind.CPU ? null : torch::emptyCache);
  }

  static void withRoom(Runnable call, @Nullable Runnable makeRoom) {
    try {
      call.run();
    } catch (KernelException e) {
      if (makeRoom == null || e.reason() != KernelException.Reason.NO_MEMORY) {
        throw e;
      }
      makeRoom.run();
      call.run();
    }
  }

  private static OptionalLong resident() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
          .findFirst();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
