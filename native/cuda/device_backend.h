// What a GPU backend implements. The C ABI has checked what can be checked without reading device memory. A function
// returns a code of hir_kernels.h and keeps its message with fail().
#pragma once

#include <stdint.h>

#include "model/any_model.h"
#include "kernels.h"

namespace hir {

struct Place {
  int32_t device;
  int64_t stream;
};

struct DeviceBackend {
  int32_t (*usable)(const char *kernel, int32_t device);
  int32_t (*token_logprob)(const Place &place, const Matrix &logits, const int64_t *targets, double temperature,
                           float *logprobs, float *entropies);
  int32_t (*policy_loss)(const Place &place, const Matrix &logits, const PolicyLoss &loss);
  int32_t (*sample)(const Place &place, const Matrix &logits, const Sampling &sampling);
  int32_t (*sum_of_squares)(const Place &place, const void *values, int64_t count, int32_t dtype, double *result);
  int32_t (*adamw)(const Place &place, const AdamW &step);
  int32_t (*synchronize)(const Place &place);
  int32_t (*make_model)(const Place &place, const ModelShape &shape, AnyModel **model);
};

namespace cuda {
extern const DeviceBackend backend;
}
namespace simt {
extern const DeviceBackend backend;
}

// The backend of HIR_CUDA_EMULATED, which is in libhir_testing: null until hir_emulate() sets it.
HIR_API extern const DeviceBackend *emulator;

// The GPU backend of this number in this process; null if there is none.
const DeviceBackend *device_backend(int32_t backend);

}  // namespace hir
