#include "hir_env.h"

#include <stdio.h>
#include <stdlib.h>

static int32_t set_default(const char *name, const char *value) {
  if (getenv(name) != NULL) return 0;
  return setenv(name, value, 0) == 0 ? 1 : 0;
}

int32_t hir_env_prepare(int32_t threads) {
  int32_t set = 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    set += set_default("OPENBLAS_CORETYPE", "SkylakeX");
  }
#endif
  // Waiting threads go to sleep after microseconds instead of spinning for milliseconds: OpenBLAS and OpenMP keep a pool
  // each, and a spinning worker of the one holds the core that a worker of the other needs (as does any other process).
  set += set_default("GOMP_SPINCOUNT", "2000");
  set += set_default("OPENBLAS_THREAD_TIMEOUT", "16");
  // Without it cuBLAS may add up in another order from one run to the next, and LibTorch says so at every product.
  set += set_default("CUBLAS_WORKSPACE_CONFIG", ":4096:8");
  if (threads > 0) {
    char number[16];
    snprintf(number, sizeof number, "%d", threads);
    set += set_default("OPENBLAS_NUM_THREADS", number);
    set += set_default("OMP_NUM_THREADS", number);
  }
  return set;
}

const char *hir_env_get(const char *name) { return getenv(name); }
