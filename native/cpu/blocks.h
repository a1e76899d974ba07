// The operations of a decoder layer on one row other than matrix products, with their backward.
#pragma once

#include <math.h>

#include "vec.h"

namespace {

constexpr double LOG2E = 1.4426950408889634;

// The first n elements of a vector that may end early; missing elements are `fill`.
template <class T>
static inline Vec load_some(const T *p, int64_t n, float fill) {
  return n >= WIDTH ? load(p) : load_part(p, n, fill);
}
template <class T>
static inline void store_some(T *p, int64_t n, Vec x) {
  if (n >= WIDTH) {
    store(p, x);
  } else {
    store_part(p, n, x);
  }
}

// Converts between types; to bfloat16 by rounding to the nearest.
template <class From, class To>
static inline void convert(const From *from, int64_t n, To *to) {
  for (int64_t i = 0; i < n; i += WIDTH) store_some(to + i, n - i, load_some(from + i, n - i, 0));
}

template <class X, class Y>
static inline float dot(const X *x, const Y *y, int64_t n) {
  Vec s = vec(0);
  for (int64_t i = 0; i < n; i += WIDTH) s = fma(load_some(x + i, n - i, 0), load_some(y + i, n - i, 0), s);
  return sum_tree(s);
}

// 1 / rms(x)
template <class X>
static inline float rms_scale(const X *x, int64_t n, float epsilon) {
  return 1.0f / sqrtf(dot(x, x, n) / static_cast<float>(n) + epsilon);
}

// out = x / rms(x) * weight
template <class X, class Out>
static inline void rms_norm(const X *x, const float *weight, int64_t n, float epsilon, Out *out) {
  const Vec scale = vec(rms_scale(x, n, epsilon));
  for (int64_t i = 0; i < n; i += WIDTH) {
    store_some(out + i, n - i, mul(mul(load_some(x + i, n - i, 0), scale), load_some(weight + i, n - i, 0)));
  }
}

// Backward of rms_norm for the gradient dy of its output: dx = onto + its input's gradient, dw += its weight's.
// `onto` may be null, and dx the same memory as dy or onto.
template <class X>
static inline void rms_norm_backward(const X *x, const float *weight, const float *dy, const float *onto, int64_t n,
                                     float epsilon, float *dx, float *dw) {
  const float scale = rms_scale(x, n, epsilon);
  Vec along = vec(0);
  for (int64_t i = 0; i < n; i += WIDTH) {
    const Vec scaled = mul(load_some(dy + i, n - i, 0), load_some(weight + i, n - i, 0));
    along = fma(scaled, load_some(x + i, n - i, 0), along);
  }
  const Vec s = vec(scale), back = vec(-sum_tree(along) * scale * scale * scale / static_cast<float>(n));
  for (int64_t i = 0; i < n; i += WIDTH) {
    const Vec xi = load_some(x + i, n - i, 0), scaled = mul(load_some(dy + i, n - i, 0), s);
    store_some(dw + i, n - i, fma(scaled, xi, load_some(dw + i, n - i, 0)));
    const Vec own = fma(xi, back, mul(scaled, load_some(weight + i, n - i, 0)));
    store_some(dx + i, n - i, onto ? add(load_some(onto + i, n - i, 0), own) : own);
  }
}

// Rotary embedding, halves paired as in transformers.
static inline void rotate(float *x, const float *cosines, const float *sines, int64_t half, float scale) {
  for (int64_t i = 0; i < half; i += WIDTH) {
    const int64_t n = half - i < WIDTH ? half - i : WIDTH;
    const Vec c = mul(load_part(cosines + i, n, 0), vec(scale)), s = mul(load_part(sines + i, n, 0), vec(scale));
    const Vec low = load_part(x + i, n, 0), high = load_part(x + half + i, n, 0);
    store_part(x + i, n, sub(mul(low, c), mul(high, s)));
    store_part(x + half + i, n, fma(high, c, mul(low, s)));
  }
}

// Backward of rotate with scale 1: the rotation by the opposite angle.
static inline void rotate_back(float *x, const float *cosines, const float *sines, int64_t half) {
  for (int64_t i = 0; i < half; i += WIDTH) {
    const int64_t n = half - i < WIDTH ? half - i : WIDTH;
    const Vec c = load_part(cosines + i, n, 0), s = load_part(sines + i, n, 0);
    const Vec low = load_part(x + i, n, 0), high = load_part(x + half + i, n, 0);
    store_part(x + i, n, fma(low, c, mul(high, s)));
    store_part(x + half + i, n, sub(mul(high, c), mul(low, s)));
  }
}

// 1 / (1 + e^-x)
static inline Vec sigmoid(Vec x) { return div(vec(1), add(vec(1), exp2(mul(x, vec(static_cast<float>(-LOG2E)))))); }

// x / (1 + e^-x)
static inline Vec silu(Vec x) { return div(x, add(vec(1), exp2(mul(x, vec(static_cast<float>(-LOG2E)))))); }

// Turns scores to base 2 into weights 2^(score - max), padded to a whole vector; returns their sum.
static inline float soften(float *scores, int64_t n, float *most = nullptr) {
  Vec top = vec(-INFINITY);
  for (int64_t i = 0; i < n; i += WIDTH) top = max(load_some(scores + i, n - i, -INFINITY), top);
  const Vec m = vec(max_lane(top));
  if (most) *most = max_lane(top);
  Vec sum = vec(0);
  for (int64_t i = 0; i < n; i += WIDTH) {
    const Vec e = exp2(sub(load_some(scores + i, n - i, -INFINITY), m));
    store(scores + i, e);  // rows of scores have room for a whole vector
    sum = add(sum, e);
  }
  return sum_tree(sum);
}

}  // namespace
