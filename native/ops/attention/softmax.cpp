#include "attention/softmax.h"

#include <string.h>

#include "blocks.h"
#include "hir_kernels.h"

// A query's strip has room for whole vectors: `tokens` is a multiple of 32.
namespace {

float soften(float *scores, int64_t seen, int64_t tokens, float *maximum, float *sum, uint16_t *low) {
  bf16 *const to = reinterpret_cast<bf16 *>(low);
  if (seen <= 0) {
    if (low) {
      memset(low, 0, sizeof(uint16_t) * tokens);
    } else {
      memset(scores, 0, sizeof(float) * tokens);
    }
    return 1;
  }
  Vec top = vec(*maximum);
  for (int64_t i = 0; i < seen; i += WIDTH) top = max(load_some(scores + i, seen - i, -INFINITY), top);
  const float most = max_lane(top);
  const Vec m = vec(most);
  Vec total = vec(0);
  for (int64_t i = 0; i < tokens; i += WIDTH) {
    const Vec e = i < seen ? exp2(sub(load_some(scores + i, seen - i, -INFINITY), m)) : vec(0);
    total = add(total, e);
    if (low) {
      store(to + i, e);
    } else {
      store(scores + i, e);
    }
  }
  float before[WIDTH];
  store(before, exp2(sub(vec(*maximum), m)));
  *maximum = most;
  *sum = *sum * before[0] + sum_tree(total);
  return before[0];
}

void scale(float *values, int64_t n, float factor) {
  for (int64_t i = 0; i < n; i += WIDTH) store_some(values + i, n - i, mul(load_some(values + i, n - i, 0), vec(factor)));
}

void finish(const float *values, int64_t n, float factor, int32_t dtype, void *out) {
  for (int64_t i = 0; i < n; i += WIDTH) {
    const Vec x = mul(load_some(values + i, n - i, 0), vec(factor));
    if (dtype == HIR_FLOAT32) {
      store_some(static_cast<float *>(out) + i, n - i, x);
    } else if (n - i >= WIDTH) {
      store(static_cast<bf16 *>(out) + i, x);
    } else {
      store_part(static_cast<bf16 *>(out) + i, n - i, x);
    }
  }
}

void soften_back(float *scores, float *gradients, int64_t seen, int64_t tokens, float sum, float along,
                 uint16_t *low_weights, uint16_t *low_gradients) {
  for (int64_t i = 0; i < tokens; i += WIDTH) {
    Vec weight = vec(0), gradient = vec(0);
    if (i < seen) {
      weight = exp2(sub(load_some(scores + i, seen - i, -INFINITY), vec(sum)));
      gradient = mul(weight, sub(load_some(gradients + i, seen - i, 0), vec(along)));
    }
    if (low_weights) {
      store(reinterpret_cast<bf16 *>(low_weights) + i, weight);
      store(reinterpret_cast<bf16 *>(low_gradients) + i, gradient);
    } else {
      store(scores + i, weight);
      store(gradients + i, gradient);
    }
  }
}

}  // namespace

namespace hir::HIR_ISA {

extern const SoftmaxKernel softmax_kernel = {soften, scale, finish, soften_back};

}  // namespace hir::HIR_ISA
