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

  /**
   * Bytes that a process may come to take: on a GPU what is free there; on the CPU what the system
   * could give, with what this process has already, within a container's limit. Empty where the
   * system does not say.
   *
   * @param processes that share the CPU's memory alike
   */
  public static OptionalLong atHand(Device device, int processes) {
    if (device.kind() != Device.Kind.CPU) {
      return ofGpu(device.index()).map(m -> OptionalLong.of(m.free)).orElse(OptionalLong.empty());
    }
    OptionalLong available = number(Path.of("/proc/meminfo"), "MemAvailable:");
    OptionalLong own = resident();
    if (available.isEmpty() || own.isEmpty()) {
      return OptionalLong.empty();
    }
    long free = available.getAsLong() / processes + own.getAsLong();
    return OptionalLong.of(Math.min(free, containerLimit() / processes));
  }

  /** Of this process's control group (version 2). */
  private static long containerLimit() {
    try {
      String most = Files.readString(Path.of("/sys/fs/cgroup/memory.max")).strip();
      return most.equals("max") ? Long.MAX_VALUE : Long.parseLong(most);
    } catch (IOException | NumberFormatException e) {
      return Long.MAX_VALUE;
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

  /** Bytes of this process that lie in memory. */
  public static OptionalLong resident() {
    return number(Path.of("/proc/self/status"), "VmRSS:");
  }

  /** A number of KiB in one of the kernel's tables, as bytes. */
  private static OptionalLong number(Path file, String name) {
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .filter(line -> line.startsWith(name))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
          .findFirst();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
