package org.hirengine.kernels;

import java.util.Optional;
import org.hirengine.kernels.global.hirkernels;

/** The providers of {@code native/}: a subclass for each backend, for ServiceLoader to create. */
abstract class NativeProvider implements KernelProvider {

  private final String name;
  private final int priority;
  private final int backend;
  private final Device.Kind kind;

  private NativeProvider(String name, int priority, int backend, Device.Kind kind) {
    this.name = name;
    this.priority = priority;
    this.backend = backend;
    this.kind = kind;
  }

  /** CUDA, in the native library of the classifier linux-x86_64-gpu. */
  public static final class Cuda extends NativeProvider {
    public Cuda() {
      super("cuda", 400, 3, Device.Kind.CUDA);
    }
  }

  /** AVX-512 (F, BW, DQ, VL). */
  public static final class Avx512 extends NativeProvider {
    public Avx512() {
      super("avx512", 300, 2, Device.Kind.CPU);
    }
  }

  /** AVX2 with FMA. */
  public static final class Avx2 extends NativeProvider {
    public Avx2() {
      super("avx2", 200, 1, Device.Kind.CPU);
    }
  }

  /** Plain loops in double precision: slow, and the reference for the others. */
  public static final class Baseline extends NativeProvider {
    public Baseline() {
      super("baseline", 100, 0, Device.Kind.CPU);
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int priority() {
    return priority;
  }

  @Override
  public boolean supports(Device.Kind device) {
    return device == kind;
  }

  @Override
  public Optional<String> unusable() {
    try {
      return hirkernels.hir_backend_usable(backend) == hirkernels.HIR_OK
          ? Optional.empty()
          : Optional.of(NativeKernels.lastError());
    } catch (LinkageError e) {
      return Optional.of("the native library cannot be loaded: " + e.getMessage());
    }
  }

  @Override
  public Kernels kernels() {
    return new NativeKernels(name, backend, kind);
  }
}
