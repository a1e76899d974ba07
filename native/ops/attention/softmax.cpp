#include "attention/softmax.h"

#include <string.h>

#include "blocks.h"
#include "hir_kernels.h"

// A query's strip has room for whole vectors: `tokens` is a multiple of 32.
namespace {

// Whole vectors from here on: what comes before `from` among them gets the weight 0.
int64_t hide(float *scores, int64_t from) {
  const int64_t start = from / WIDTH * WIDTH;
  for (int64_t i = start; i < from; i++) scores[i] = -INFINITY;
  return start;
}

float soften(float *scores, int64_t from, int64_t to, int64_t tokens, float *maximum, float *sum, uint16_t *low) {
  if (to <= from) {
    if (low) {
      memset(low, 0, sizeof(uint16_t) * tokens);
    } else {
      memset(scores, 0, sizeof(float) * tokens);
    }
    return 1;
  }
  const int64_t start = hide(scores, from);
  Vec top = vec(*maximum);
  for (int64_t i = start; i < to; i += WIDTH) top = max(load_some(scores + i, to - i, -INFINITY), top);
  const float most = max_lane(top);
  const Vec m = vec(most);
  Vec total = vec(0);
  for (int64_t i = 0; i < tokens; i += WIDTH) {
    const Vec e = i >= start && i < to ? exp2(sub(load_some(scores + i, to - i, -INFINITY), m)) : vec(0);
    total = add(total, e);
    if (low) {
      store(reinterpret_cast<bf16 *>(low) + i, e);
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

void soften_back(float *scores, float *gradients, int64_t from, int64_t to, int64_t tokens, float sum, float along,
                 uint16_t *low_weights, uint16_t *low_gradients) {
  const int64_t start = to > from ? hide(scores, from) : tokens;
  for (int64_t i = 0; i < tokens; i += WIDTH) {
    Vec weight = vec(0), gradient = vec(0);
    if (i >= start && i < to) {
      weight = exp2(sub(load_some(scores + i, to - i, -INFINITY), vec(sum)));
      gradient = mul(weight, sub(load_some(gradients + i, to - i, 0), vec(along)));
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
