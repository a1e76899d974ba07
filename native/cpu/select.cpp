#include "select.h"

#include "device_backend.h"
#include "error.h"
#include "hir_kernels.h"

namespace {

const char *missing_cpu_feature(int32_t backend) {
  __builtin_cpu_init();
  if (backend == HIR_AVX2) {
    if (!__builtin_cpu_supports("avx2")) return "AVX2";
    if (!__builtin_cpu_supports("fma")) return "FMA";
    if (!__builtin_cpu_supports("bmi2")) return "BMI2";
  }
  if (backend == HIR_AVX512) {
    if (const char *missing = missing_cpu_feature(HIR_AVX2)) return missing;
    if (!__builtin_cpu_supports("avx512f")) return "AVX-512F";
    if (!__builtin_cpu_supports("avx512bw")) return "AVX-512BW";
    if (!__builtin_cpu_supports("avx512dq")) return "AVX-512DQ";
    if (!__builtin_cpu_supports("avx512vl")) return "AVX-512VL";
  }
  return nullptr;
}

}  // namespace

const hir::DeviceBackend *hir::emulator = nullptr;

const hir::DeviceBackend *hir::device_backend(int32_t backend) {
  if (backend == HIR_CUDA_EMULATED) return emulator;
#ifdef HIR_WITH_CUDA
  if (backend == HIR_CUDA) return &cuda::backend;
#endif
  return nullptr;
}

int32_t hir::select(const char *kernel, int32_t backend, const Backend **out) {
  switch (backend) {
    case HIR_BASELINE: *out = &baseline::backend; break;
    case HIR_AVX2: *out = &avx2::backend; break;
    case HIR_AVX512: *out = &avx512::backend; break;
    case HIR_CUDA:
      return fail(HIR_UNSUPPORTED, "%s: this library was built without CUDA: use the one of linux-x86_64-gpu", kernel);
    case HIR_CUDA_EMULATED:
      return fail(HIR_UNSUPPORTED, "%s: the emulator is in libhir_testing: load that and call hir_emulate()", kernel);
    default: return fail(HIR_INVALID, "%s: unknown backend %d", kernel, backend);
  }
  // Asked once: the answer cannot change.
  static const char *const missing[] = {missing_cpu_feature(HIR_BASELINE), missing_cpu_feature(HIR_AVX2),
                                        missing_cpu_feature(HIR_AVX512)};
  if (missing[backend]) return fail(HIR_UNSUPPORTED, "%s: this CPU has no %s", kernel, missing[backend]);
  return HIR_OK;
}
