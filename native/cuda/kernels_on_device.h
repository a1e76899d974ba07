// The functions behind DeviceBackend, each in its own source file.
#pragma once

#include "device_backend.h"
#include "simt.h"

namespace hir::HIR_DEVICE {

int32_t token_logprob(const Place &place, const Matrix &logits, const int64_t *targets, double temperature, float *logprobs,
                      float *entropies);
int32_t policy_loss(const Place &place, const Matrix &logits, const PolicyLoss &loss);
int32_t sample(const Place &place, const Matrix &logits, const Sampling &sampling);
int32_t sum_of_squares(const Place &place, const void *values, int64_t count, int32_t dtype, double *result);
int32_t adamw(const Place &place, const AdamW &step);
int32_t make_model(const Place &place, const ModelShape &shape, AnyModel **model);

}  // namespace hir::HIR_DEVICE
