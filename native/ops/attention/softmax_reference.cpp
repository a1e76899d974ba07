#include <math.h>

#include "bf16.h"
#include "hir_kernels.h"
#include "attention/softmax.h"

namespace {

using hir::bf16;

void put(float *wide, uint16_t *low, int64_t at, double x) {
  if (low) {
    hir::from_float(static_cast<float>(x), reinterpret_cast<bf16 *>(low) + at);
  } else {
    wide[at] = static_cast<float>(x);
  }
}

float soften(float *scores, int64_t from, int64_t to, int64_t tokens, float *maximum, float *sum, uint16_t *low) {
  float most = *maximum;
  for (int64_t i = from; i < to; i++) most = fmaxf(most, scores[i]);
  double total = 0;
  for (int64_t i = 0; i < tokens; i++) {
    const double weight = i >= from && i < to ? exp2(static_cast<double>(scores[i]) - most) : 0;
    total += weight;
    put(scores, low, i, weight);
  }
  if (to <= from) return 1;
  const float before = exp2f(*maximum - most);
  *maximum = most;
  *sum = static_cast<float>(static_cast<double>(*sum) * before + total);
  return before;
}

void scale(float *values, int64_t n, float factor) {
  for (int64_t i = 0; i < n; i++) values[i] *= factor;
}

void finish(const float *values, int64_t n, float factor, int32_t dtype, void *out) {
  for (int64_t i = 0; i < n; i++) {
    put(static_cast<float *>(out), dtype == HIR_BFLOAT16 ? static_cast<uint16_t *>(out) : nullptr, i, values[i] * factor);
  }
}

void soften_back(float *scores, float *gradients, int64_t from, int64_t to, int64_t tokens, float sum, float along,
                 uint16_t *low_weights, uint16_t *low_gradients) {
  for (int64_t i = 0; i < tokens; i++) {
    const bool seen = i >= from && i < to;
    const double weight = seen ? exp2(static_cast<double>(scores[i]) - sum) : 0;
    const double gradient = seen ? weight * (static_cast<double>(gradients[i]) - along) : 0;
    put(scores, low_weights, i, weight);
    put(gradients, low_gradients, i, gradient);
  }
}

}  // namespace

namespace hir::HIR_ISA {

extern const SoftmaxKernel softmax_kernel = {soften, scale, finish, soften_back};

}  // namespace hir::HIR_ISA
