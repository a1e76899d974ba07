/*
 * Environment of the numeric libraries. OpenBLAS and OpenMP read it once, when they are loaded, so this library, which
 * depends on neither, must be loaded and called before them. Variables set by the user are kept.
 */
#ifndef HIR_ENV_H
#define HIR_ENV_H

#include <stdint.h>

#if defined(__GNUC__)
#define HIR_API __attribute__((visibility("default")))
#else
#define HIR_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Sets OPENBLAS_CORETYPE=SkylakeX where the CPU has AVX-512 (OpenBLAS takes recent Zen cores for Haswell, and its skinny
 * GEMMs then run several times slower); GOMP_SPINCOUNT and OPENBLAS_THREAD_TIMEOUT so that waiting threads sleep early;
 * CUBLAS_WORKSPACE_CONFIG so that products on a GPU are the same in every run;
 * and, for threads > 0, OPENBLAS_NUM_THREADS and OMP_NUM_THREADS.
 * Returns the number of variables set.
 */
HIR_API int32_t hir_env_prepare(int32_t threads);

/* Value of an environment variable as native code sees it (Java's System.getenv is a copy made at start), or null. */
HIR_API const char *hir_env_get(const char *name);

#ifdef __cplusplus
}
#endif
#endif
