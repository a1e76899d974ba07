// The steps between attention's products, per instruction set.
#pragma once

#include <stdint.h>

namespace hir {

struct SoftmaxKernel {
  // One query's scores, to base 2, of a strip: those in [from, to) become weights 2^(score - maximum), in place or as
  // bfloat16 in `low`, the others up to `tokens` 0, whatever they were. Updates the running maximum and sum; returns the
  // factor for the values mixed so far. Where a strip begins does not change the weights' sum.
  float (*soften)(float *scores, int64_t from, int64_t to, int64_t tokens, float *maximum, float *sum, uint16_t *low);
  // values[i] *= scale
  void (*scale)(float *values, int64_t n, float scale);
  // out = values * scale, of the dtype
  void (*finish)(const float *values, int64_t n, float scale, int32_t dtype, void *out);
  // One query's scores become weights 2^(score - sum), and the weights' gradients those of the scores,
  // weight * (gradient - along); both 0 outside [from, to), up to `tokens`; in place, or as bfloat16 in the `low` ones.
  void (*soften_back)(float *scores, float *gradients, int64_t from, int64_t to, int64_t tokens, float sum, float along,
                      uint16_t *low_weights, uint16_t *low_gradients);
};

#define HIR_SOFTMAX_KERNEL(isa) \
  namespace isa { \
  extern const SoftmaxKernel softmax_kernel; \
  }
HIR_SOFTMAX_KERNEL(baseline)
HIR_SOFTMAX_KERNEL(avx2)
HIR_SOFTMAX_KERNEL(avx512)
#undef HIR_SOFTMAX_KERNEL

}  // namespace hir
