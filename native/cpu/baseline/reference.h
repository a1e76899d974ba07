// Plain double-precision softmax of a row: the reference for every faster kernel.
#pragma once

#include <math.h>

#include "bf16.h"
#include "hir_kernels.h"
#include "kernels.h"

namespace {

static inline double element(const void *data, int32_t dtype, int64_t index) {
  return dtype == HIR_BFLOAT16 ? hir::to_float(static_cast<const hir::bf16 *>(data)[index])
                               : static_cast<const float *>(data)[index];
}

static inline void set_element(void *data, int32_t dtype, int64_t index, double value) {
  if (dtype == HIR_BFLOAT16) {
    hir::from_float(static_cast<float>(value), static_cast<hir::bf16 *>(data) + index);
  } else {
    static_cast<float *>(data)[index] = static_cast<float>(value);
  }
}

struct Softmax {
  const hir::Matrix &logits;
  int64_t row;
  double temperature;
  double max, log_sum, entropy;
  bool valid;

  Softmax(const hir::Matrix &logits, int64_t row, double temperature)
      : logits(logits), row(row), temperature(temperature), max(-INFINITY), log_sum(0), entropy(0), valid(true) {
    for (int64_t j = 0; j < logits.cols; j++) {
      const double x = logit(j);
      if (x != x) valid = false;
      if (x > max) max = x;
    }
    if (max == INFINITY || max == -INFINITY) valid = false;
    if (!valid) return;
    double sum = 0;
    for (int64_t j = 0; j < logits.cols; j++) sum += exp((logit(j) - max) / temperature);
    log_sum = log(sum);
    for (int64_t j = 0; j < logits.cols; j++) {
      const double p = probability(j);
      if (p > 0) entropy -= p * logprob(j);
    }
  }

  double logit(int64_t j) const { return element(logits.data, logits.dtype, row * logits.stride + j); }
  double logprob(int64_t j) const { return (logit(j) - max) / temperature - log_sum; }
  double probability(int64_t j) const { return exp(logprob(j)); }
};

}  // namespace
