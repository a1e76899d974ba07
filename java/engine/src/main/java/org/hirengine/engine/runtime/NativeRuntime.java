package org.hirengine.engine.runtime;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.Context;
import org.bytedeco.pytorch.global.torch;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.KernelException;
import org.hirengine.kernels.KernelRegistry;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.NativeEnv;
import org.jspecify.annotations.Nullable;

/**
 * Loads the native libraries once per process, in the only order that works: JavaCPP's settings
 * before its first pointer, the environment that OpenBLAS reads, then LibTorch (with OpenBLAS and
 * libgomp), then our kernels.
 */
public final class NativeRuntime {

  private static final System.Logger LOG = System.getLogger(NativeRuntime.class.getName());

  private static @Nullable Throwable failure;
  private static boolean loaded;

  private NativeRuntime() {}

  /**
   * Loads LibTorch, unless it is loaded.
   *
   * @throws DeviceException when a native library is missing or does not fit this machine; the
   *     remedy says what to put on the class path
   */
  public static synchronized void load() {
    load(0);
  }

  /**
   * As {@link #load()}, and sets how many threads OpenBLAS and OpenMP create, which they read only
   * once.
   *
   * @param threads 0 keeps their defaults
   */
  @SuppressWarnings("StaticAssignmentOfThrowable") // the cause of every later refusal
  public static synchronized void load(int threads) {
    if (loaded) {
      return;
    }
    if (failure != null) {
      throw missing(failure);
    }
    // JavaCPP's memory ceilings come from -Xmx, and would abort a run with large native tensors and
    // a small heap. Its collector thread would make every tensor twice as expensive (2.7 us against
    // 1.5), and all our tensors have an owner that closes them. Settings of the embedding program
    // win.
    setDefault("org.bytedeco.javacpp.maxPhysicalBytes", "0");
    setDefault("org.bytedeco.javacpp.maxBytes", "0");
    setDefault("org.bytedeco.javacpp.nopointergc", "true");
    Optional<String> unprepared = prepareEnvironment(threads);
    try {
      Loader.load(torch.class);
      loaded = true;
      unprepared.ifPresent(
          reason ->
              LOG.log(System.Logger.Level.WARNING, "BLAS keeps its own settings: {0}", reason));
    } catch (UnsatisfiedLinkError | NoClassDefFoundError | ExceptionInInitializerError e) {
      failure = e;
      throw missing(e);
    }
  }

  /**
   * The kernels for a kind of device, loaded after LibTorch so that both use one libgomp.
   *
   * @throws DeviceException when there is no such device, or this build cannot use it
   */
  public static Kernels kernels(Device.Kind device) {
    load();
    if (device == Device.Kind.CUDA) {
      requireCuda();
      settleCuda();
    }
    return KernelRegistry.choose(device);
  }

  /** LibTorch would fail only at the first tensor, without naming a remedy. */
  private static void requireCuda() {
    whyNoCuda()
        .ifPresent(
            reason -> {
              throw new DeviceException(
                  "device cuda cannot be used: " + reason,
                  "take device=cpu, or a machine with a GPU, CUDA's libraries in LD_LIBRARY_PATH"
                      + " and a build by mvn -P gpu package; hir doctor shows what was found");
            });
  }

  /**
   * Settings of LibTorch on a GPU. cuDNN's attention builds a plan for every new shape, tens of
   * milliseconds each, and packed lengths change with every micro-batch. Sums are taken in a fixed
   * order, as everywhere in this engine, if LibTorch has such a kernel.
   */
  static void settleCuda() {
    try (Context context = torch.globalContext()) {
      context.setSDPUseCuDNN(false);
      context.setDeterministicAlgorithms(true, true);
      context.setDeterministicFillUninitializedMemory(false);
    }
  }

  /** Why tensors cannot be on a GPU here; empty if they can. Loads LibTorch. */
  public static Optional<String> whyNoCuda() {
    load();
    if (torch.cuda_is_available()) {
      return Optional.empty();
    }
    List<String> reasons = new ArrayList<>();
    if (!Files.isReadable(Path.of("/proc/driver/nvidia/version"))) {
      reasons.add("this machine has no NVIDIA driver");
    }
    missingLibrary().ifPresent(reasons::add);
    return Optional.of(
        reasons.isEmpty()
            ? "LibTorch finds no GPU through this machine's NVIDIA driver (CUDA_VISIBLE_DEVICES"
                + " may hide it)"
            : String.join("; ", reasons));
  }

  /**
   * What LibTorch's CUDA part lacks. It is loaded if possible and otherwise silently omitted, so
   * that the CPU part works on any machine.
   */
  private static Optional<String> missingLibrary() {
    String loaded = Loader.getLoadedLibraries().get("jnitorch");
    Path half = loaded == null ? null : Path.of(loaded).resolveSibling("libtorch_cuda.so");
    if (half == null || !Files.exists(half)) {
      return Optional.of("this build's LibTorch is for the CPU only");
    }
    try {
      System.load(half.toAbsolutePath().toString());
      return Optional.empty();
    } catch (UnsatisfiedLinkError e) {
      String message = String.valueOf(e.getMessage());
      return Optional.of(
          "LibTorch's CUDA part cannot be loaded: "
              + message.substring(message.indexOf(".so: ") < 0 ? 0 : message.indexOf(".so: ") + 5));
    }
  }

  /**
   * Why the environment stays as it is, if it does. LibTorch still runs then, with OpenBLAS's guess
   * of the core, which may be slow.
   */
  private static Optional<String> prepareEnvironment(int threads) {
    try {
      NativeEnv.prepare(threads);
      return Optional.empty();
    } catch (KernelException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  private static void setDefault(String key, String value) {
    if (System.getProperty(key) == null) {
      System.setProperty(key, value);
    }
  }

  private static DeviceException missing(Throwable cause) {
    DeviceException missing =
        new DeviceException(
            "cannot load LibTorch's native libraries for "
                + Loader.getPlatform()
                + " ("
                + cause
                + ")",
            "put org.bytedeco:pytorch, openblas and javacpp with classifier "
                + Loader.getPlatform()
                + " on the class path (a build with -Dhir.native.skip leaves them out), and keep"
                + " about 500 MB free in ~/.javacpp");
    missing.initCause(cause);
    return missing;
  }
}
