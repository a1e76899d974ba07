package org.hirengine.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bytedeco.cuda.cudart.cudaDeviceProp;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.Loader;
import org.hirengine.engine.hub.HubException;
import org.hirengine.engine.hub.HubSettings;
import org.hirengine.engine.runtime.DeviceMemory;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.KernelProvider;
import org.hirengine.kernels.KernelRegistry;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.NativeEnv;
import org.hirengine.verify.Verifiers;

/** The checks of {@code hir doctor}; none of them can fail the command. */
final class Doctor {

  private static final long GIB = DeviceMemory.GIB;
  private static final long CACHE_BYTES = GIB / 2;

  private final List<Finding> findings = new ArrayList<>();

  private Doctor() {}

  static List<Finding> examine() {
    Doctor doctor = new Doctor();
    doctor.look("Java", doctor::java);
    doctor.look("CPU", doctor::cpu);
    doctor.look("memory", doctor::memory);
    doctor.look("native cache", doctor::cache);
    doctor.look("LibTorch", doctor::libTorch);
    doctor.look("kernels", doctor::kernels);
    doctor.look("BLAS", doctor::blas);
    doctor.look("GPU", doctor::gpu);
    doctor.look("text data", doctor::textData);
    doctor.look("Hugging Face", doctor::hub);
    return doctor.findings;
  }

  private interface Examination {
    void run() throws IOException;
  }

  /** Natives that do not load throw LinkageErrors, which here are findings like any other. */
  private void look(String what, Examination examination) {
    try {
      examination.run();
    } catch (IOException | RuntimeException | LinkageError e) {
      findings.add(Finding.missing(what, message(e), "see the message; reinstall what it names"));
    }
  }

  private void java() {
    findings.add(
        Finding.ok(
            "Java",
            "%s (%s), heap up to %s"
                .formatted(
                    Runtime.version(),
                    System.getProperty("java.vendor"),
                    gib(Runtime.getRuntime().maxMemory()))));
  }

  private void cpu() throws IOException {
    String model = cpuInfo("model name").orElse(System.getProperty("os.arch"));
    List<String> flags = List.of(cpuInfo("flags").orElse("").split(" "));
    String simd =
        Stream.of("avx2", "fma", "avx512f", "avx512bw", "avx512_bf16", "amx_bf16")
            .filter(flags::contains)
            .collect(Collectors.joining(" "));
    String found =
        "%s, %d cores, %s"
            .formatted(
                model,
                Runtime.getRuntime().availableProcessors(),
                simd.isEmpty() ? "no vector extensions that the kernels know" : simd);
    findings.add(
        flags.contains("avx2")
            ? Finding.ok("CPU", found)
            : Finding.note("CPU", found, "everything runs, on the slow baseline kernels"));
  }

  private static Optional<String> cpuInfo(String field) throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith(field))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst();
    }
  }

  private void memory() throws IOException {
    long total = memInfo("MemTotal");
    long available = memInfo("MemAvailable");
    String found = "%s of %s available".formatted(gib(available), gib(total));
    findings.add(
        available >= 2 * GIB
            ? Finding.ok("memory", found)
            : Finding.note(
                "memory", found, "LibTorch alone takes about 1 GiB; close other programs"));
  }

  private static long memInfo(String field) throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/meminfo"))) {
      return lines
          .filter(line -> line.startsWith(field + ":"))
          .map(line -> line.replaceAll("\\D", ""))
          .mapToLong(kib -> Long.parseLong(kib) * 1024)
          .findFirst()
          .orElse(0);
    }
  }

  private void cache() throws IOException {
    Path folder = Loader.getCacheDir().toPath();
    long free = Files.getFileStore(folder).getUsableSpace();
    String found = "%s, %s free".formatted(folder, gib(free));
    findings.add(
        free >= CACHE_BYTES
            ? Finding.ok("native cache", found)
            : Finding.note(
                "native cache",
                found,
                "unpacking LibTorch takes 500 MB: free some space, or set"
                    + " HIR_JAVA_OPTS=-Dorg.bytedeco.javacpp.cachedir=DIR"));
  }

  private void libTorch() {
    long start = System.nanoTime();
    try {
      NativeRuntime.load();
    } catch (RuntimeException | LinkageError e) {
      findings.add(
          Finding.missing(
              "LibTorch",
              message(e),
              "build with mvn package on linux-x86_64, or free disk space"));
      return;
    }
    findings.add(
        Finding.ok(
            "LibTorch",
            "loaded in %.1f s for %s"
                .formatted((System.nanoTime() - start) / 1e9, Loader.getPlatform())));
  }

  private void kernels() {
    for (KernelProvider provider : KernelRegistry.providers()) {
      provider
          .unusable()
          .ifPresentOrElse(
              reason ->
                  findings.add(Finding.note("kernels", provider.name() + ": " + reason, null)),
              () -> findings.add(Finding.ok("kernels", provider.name() + " can run")));
    }
    Kernels chosen = KernelRegistry.choose(Device.Kind.CPU);
    String wanted = System.getProperty(KernelRegistry.PROPERTY);
    findings.add(
        Finding.ok(
            "kernels",
            "chosen on the CPU: %s (%s)"
                .formatted(
                    chosen.name(),
                    wanted == null
                        ? "the fastest that can run; -D" + KernelRegistry.PROPERTY + " overrides"
                        : "by -D" + KernelRegistry.PROPERTY)));
    for (DType dtype : DType.values()) {
      chosen
          .productVariant(dtype)
          .ifPresent(
              variant ->
                  findings.add(
                      Finding.ok(
                          "products",
                          "%s: %s, at most %.0f GFLOP/s on all cores (measured just now)"
                              .formatted(
                                  dtype.name().toLowerCase(Locale.ROOT),
                                  variant,
                                  chosen.productCeiling(dtype)))));
    }
  }

  private void blas() {
    findings.add(
        Finding.ok(
            "BLAS",
            "OpenBLAS, core type "
                + NativeEnv.get("OPENBLAS_CORETYPE").orElse("by its own detection")
                + ", threads "
                + NativeEnv.get("OPENBLAS_NUM_THREADS").orElse("by its own count")));
  }

  /** Looks for GPUs through the CUDA runtime, and for reasons why the engine cannot use them. */
  private void gpu() throws IOException {
    Path driver = Path.of("/proc/driver/nvidia/version");
    if (Files.isReadable(driver)) {
      String version = Files.readAllLines(driver).get(0).replaceAll("\\s+", " ");
      findings.add(Finding.ok("GPU", version));
      gpus();
    }
    Optional<String> reason = NativeRuntime.whyNoCuda();
    findings.add(
        reason.isEmpty()
            ? Finding.ok("GPU", "device=cuda can be used")
            : Finding.note(
                "GPU",
                "device=cuda cannot be used: " + reason.get(),
                Files.isReadable(driver) ? remedy(reason.get()) : null));
  }

  /** Shell commands that install what a machine with a driver lacks. */
  static String remedy(String reason) {
    if (reason.contains("CPU alone")) {
      return "mvn -B -Pgpu -DskipTests package";
    }
    return "java/hir finds CUDA 13's libraries where pip puts them: pip install nvidia-cublas"
        + " nvidia-cuda-runtime nvidia-cuda-cupti nvidia-cuda-nvrtc nvidia-cudnn-cu13"
        + " nvidia-cufft nvidia-cufile nvidia-curand nvidia-cusolver nvidia-cusparse"
        + " nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink nvidia-nvshmem-cu13;"
        + " those of a toolkit (which lacks cudnn and nccl): export"
        + " LD_LIBRARY_PATH=/usr/local/cuda/lib64:/usr/local/cuda/extras/CUPTI/lib64";
  }

  private void gpus() {
    try {
      Loader.load(cudart.class);
    } catch (LinkageError e) {
      return; // a CPU build is reported below
    }
    int[] count = new int[1];
    int error = cudart.cudaGetDeviceCount(count);
    if (error != cudart.cudaSuccess) {
      findings.add(
          Finding.note("GPU", "CUDA: " + cudart.cudaGetErrorString(error).getString(), null));
      return;
    }
    for (int device = 0; device < count[0]; device++) {
      try (cudaDeviceProp properties = new cudaDeviceProp()) {
        cudart.cudaGetDeviceProperties(properties, device);
        findings.add(
            Finding.ok(
                "GPU",
                "%d: %s, compute capability %d.%d, %s"
                    .formatted(
                        device,
                        properties.name().getString(),
                        properties.major(),
                        properties.minor(),
                        DeviceMemory.ofGpu(device)
                            .map(m -> gib(m.free()) + " of " + gib(m.total()) + " free")
                            .orElse(gib(properties.totalGlobalMem())))));
      }
    }
  }

  private void textData() {
    List<String> absent = Verifiers.standard().tools().builtIns();
    findings.add(
        absent.isEmpty()
            ? Finding.ok("text data", "all found in NLTK_DATA")
            : Finding.note(
                "text data",
                "built-in data replaces " + String.join(", ", absent),
                "for exactly the references' verdicts, point NLTK_DATA at NLTK's data"));
  }

  /** Does not contact the Hub. */
  private void hub() {
    try {
      findings.add(Finding.ok("Hugging Face", HubSettings.ofThisProcess().describe()));
    } catch (HubException e) {
      findings.add(Finding.note("Hugging Face", message(e), e.remedy()));
    }
  }

  private static String message(Throwable e) {
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    return message.lines().findFirst().orElse(message);
  }

  private static String gib(long bytes) {
    return String.format(Locale.ROOT, "%.1f GiB", (double) bytes / GIB);
  }
}
