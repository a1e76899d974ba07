// Gradient norm and AdamW over flat buffers, one pass each, at the speed of memory.
#include <math.h>
#include <stdlib.h>

#include "hir_kernels.h"
#include "kernels.h"
#include "vec.h"

namespace {

// Elements of a block. The partition, and so the order of summation, is the same for any number of threads.
constexpr int64_t CHUNK = 65536;

template <class T>
double chunk_sum(const T *x, int64_t n) {
  Pair s0 = pair_zero(), s1 = s0;
  int64_t i = 0;
  for (; i + 2 * WIDTH <= n; i += 2 * WIDTH) {
    const Pair a = widen(load(x + i)), b = widen(load(x + i + WIDTH));
    s0 = pair_fma(a, a, s0);
    s1 = pair_fma(b, b, s1);
  }
  for (; i < n; i += WIDTH) {
    const Pair a = widen(n - i >= WIDTH ? load(x + i) : load_part(x + i, n - i, 0));
    s0 = pair_fma(a, a, s0);
  }
  return sum_lanes(s0) + sum_lanes(s1);
}

template <class T>
int64_t sum(const T *x, int64_t count, double *result) {
  const int64_t chunks = (count + CHUNK - 1) / CHUNK;
  double *parts = static_cast<double *>(malloc(sizeof(double) * (chunks + 1)));
  if (!parts) return hir::OUT_OF_MEMORY;
#pragma omp parallel for schedule(static) if (chunks > 1)
  for (int64_t c = 0; c < chunks; c++) {
    parts[c] = chunk_sum(x + c * CHUNK, count - c * CHUNK < CHUNK ? count - c * CHUNK : CHUNK);
  }
  double total = 0;
  for (int64_t c = 0; c < chunks; c++) total += parts[c];
  free(parts);
  *result = total;
  return hir::DONE;
}

// torch.optim.AdamW: p -= lr wd p; m += (1 - b1)(g - m); v = b2 v + (1 - b2) g g;
// p -= lr / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps).
template <class G>
int64_t step(const hir::AdamW &a) {
  const double correction1 = 1 - pow(a.beta1, static_cast<double>(a.step));
  const double correction2 = 1 - pow(a.beta2, static_cast<double>(a.step));
  const Vec keep = vec(static_cast<float>(1 - a.learning_rate * a.weight_decay));
  const Vec toward = vec(static_cast<float>(1 - a.beta1));
  const Vec decay = vec(static_cast<float>(a.beta2)), fresh = vec(static_cast<float>(1 - a.beta2));
  const Vec rate = vec(static_cast<float>(-a.learning_rate / correction1));
  const Vec spread = vec(static_cast<float>(1 / sqrt(correction2))), epsilon = vec(static_cast<float>(a.epsilon));
  const Vec scale = vec(static_cast<float>(a.grad_scale));
  const G *grads = static_cast<const G *>(a.grads);
  bf16 *low = reinterpret_cast<bf16 *>(a.low_precision);
  const int64_t chunks = (a.count + CHUNK - 1) / CHUNK;
  int64_t bad = INT64_MAX;

#pragma omp parallel for schedule(static) reduction(min : bad) if (chunks > 1)
  for (int64_t c = 0; c < chunks; c++) {
    const int64_t end = (c + 1) * CHUNK < a.count ? (c + 1) * CHUNK : a.count;
    for (int64_t i = c * CHUNK; i < end; i += WIDTH) {
      const int64_t n = end - i;
      const bool whole = n >= WIDTH;
      Vec p = whole ? load(a.params + i) : load_part(a.params + i, n, 0);
      Vec m = whole ? load(a.m + i) : load_part(a.m + i, n, 0);
      Vec v = whole ? load(a.v + i) : load_part(a.v + i, n, 0);
      const Vec g = mul(whole ? load(grads + i) : load_part(grads + i, n, 0), scale);
      m = fma(toward, sub(g, m), m);
      v = fma(mul(fresh, g), g, mul(decay, v));
      p = fma(rate, div(m, fma(root(v), spread, epsilon)), mul(p, keep));
      if (bits_nan(p) && i < bad) bad = i;
      if (whole) {
        store(a.params + i, p);
        store(a.m + i, m);
        store(a.v + i, v);
        if (low) store(low + i, p);
      } else {
        store_part(a.params + i, n, p);
        store_part(a.m + i, n, m);
        store_part(a.v + i, n, v);
        if (low) store_part(low + i, n, p);
      }
    }
  }
  if (bad == INT64_MAX) return hir::DONE;
  while (a.params[bad] == a.params[bad]) bad++;
  return bad;
}

}  // namespace

namespace hir::HIR_ISA {

int64_t sum_of_squares(const void *values, int64_t count, int32_t dtype, double *result) {
  return dtype == HIR_BFLOAT16 ? sum(static_cast<const bf16 *>(values), count, result)
                               : sum(static_cast<const float *>(values), count, result);
}

int64_t adamw(const AdamW &a) { return a.grad_dtype == HIR_BFLOAT16 ? step<bf16>(a) : step<float>(a); }

}  // namespace hir::HIR_ISA
