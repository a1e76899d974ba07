#include "hir_testing.h"

#include "device_backend.h"
#include "probe.h"

extern "C" {

void hir_emulate(void) { hir::emulator = &hir::simt::backend; }

int32_t hir_probe(int32_t what, hir_address x, hir_address y, int64_t count) {
  using hir::fail;
  if (what < HIR_PROBE_READ || what > HIR_PROBE_EXP) return fail(HIR_INVALID, "probe: unknown probe %d", what);
  if (what != HIR_PROBE_EXP && !x) return fail(HIR_INVALID, "probe: x is null");
  if (what == HIR_PROBE_COPY && !y) return fail(HIR_INVALID, "probe: y is null");
  const bool wide = hir_backend_usable(HIR_AVX512) == HIR_OK;
  if (!wide) {
    if (int32_t code = hir_backend_usable(HIR_AVX2)) return code;
  }
  (wide ? hir::avx512::probe : hir::avx2::probe)(what, reinterpret_cast<float *>(x), reinterpret_cast<float *>(y), count);
  return HIR_OK;
}

}  // extern "C"
