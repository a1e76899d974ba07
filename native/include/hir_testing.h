/*
 * libhir_testing: what tests and benchmarks need beside libhir_kernels. No package for users contains it. It must be loaded
 * after libhir_kernels, and come from the same build.
 */
#ifndef HIR_TESTING_H
#define HIR_TESTING_H

#include "hir_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes HIR_CUDA_EMULATED usable in this process: hir_* calls then run the CUDA sources thread by thread on the CPU. */
HIR_API void hir_emulate(void);

/*
 * Measures the machine's ceiling, for kernels to be compared with: one pass over floats with the widest instructions that
 * this processor has.
 *   HIR_PROBE_READ      sums x
 *   HIR_PROBE_COPY      y = x
 *   HIR_PROBE_IN_PLACE  scales x in place
 *   HIR_PROBE_EXP       `count` exponentials of numbers in the first-level cache; x and y are unused
 * HIR_UNSUPPORTED on a processor without AVX2.
 */
#define HIR_PROBE_READ 0
#define HIR_PROBE_COPY 1
#define HIR_PROBE_IN_PLACE 2
#define HIR_PROBE_EXP 3
HIR_API int32_t hir_probe(int32_t what, hir_address x, hir_address y, int64_t count);

#ifdef __cplusplus
}
#endif

#endif /* HIR_TESTING_H */
