package org.hirengine.kernels;

import java.util.Optional;
import org.hirengine.kernels.global.hirenv;

/**
 * The environment that OpenBLAS and OpenMP read when they are loaded. Call {@link #prepare} before
 * anything loads LibTorch, OpenBLAS or the kernels; later calls have no effect on them.
 */
public final class NativeEnv {

  private NativeEnv() {}

  /**
   * Sets {@code OPENBLAS_CORETYPE=SkylakeX} on CPUs with AVX-512 (OpenBLAS mistakes recent Zen
   * cores for Haswell, and is then several times slower on skinny matrices) and, where {@code
   * threads} is positive, {@code OPENBLAS_NUM_THREADS} and {@code OMP_NUM_THREADS}. Waiting threads
   * of both pools soon go to sleep ({@code GOMP_SPINCOUNT}, {@code OPENBLAS_THREAD_TIMEOUT}),
   * because a spinning thread holds a core that the other pool needs. Variables that the user has
   * set are left alone.
   *
   * @return how many variables were set
   * @throws KernelException if the native library is missing
   */
  public static int prepare(int threads) {
    try {
      return hirenv.hir_env_prepare(threads);
    } catch (LinkageError e) {
      throw new KernelException(
          "the native library jnihirenv cannot be loaded ("
              + e.getMessage()
              + "): put hir-kernels with the classifier of this platform on the class path",
          e);
    }
  }

  /**
   * Returns a variable as native code sees it. {@link System#getenv} is a copy from the start of
   * the process.
   */
  public static Optional<String> get(String name) {
    return Optional.ofNullable(hirenv.hir_env_get(name));
  }
}
