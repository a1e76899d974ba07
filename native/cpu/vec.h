// One vector of floats, for any instruction set: the kernels are written once in terms of it. Everything has internal
// linkage: code of one instruction set must never be linked into another's.
#pragma once

#include <immintrin.h>

#include "bf16.h"

namespace {

using hir::bf16;

#if defined(__AVX512F__)

using Vec = __m512;
using Mask = __mmask16;
constexpr int WIDTH = 16;

static inline Vec vec(float x) { return _mm512_set1_ps(x); }
static inline Vec load(const float *p) { return _mm512_loadu_ps(p); }
static inline Vec load(const bf16 *p) {
  const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(p));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}
static inline __mmask16 first(int64_t n) { return static_cast<__mmask16>((1u << n) - 1u); }
// The first n elements, the rest `fill`.
static inline Vec load_part(const float *p, int64_t n, float fill) { return _mm512_mask_loadu_ps(vec(fill), first(n), p); }
static inline Vec load_part(const bf16 *p, int64_t n, float fill) {
  const __m256i half = _mm256_maskz_loadu_epi16(first(n), p);
  const __m512i wide = _mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16);
  return _mm512_mask_mov_ps(vec(fill), first(n), _mm512_castsi512_ps(wide));
}
static inline __m256i to_bf16(Vec x) {
  const __m512i word = _mm512_castps_si512(x);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(word, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(word, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
}
// Two vectors of consecutive elements, in an order that depends on the element type. That is enough for elementwise
// work, and lets bf16 unpack in one instruction per vector (even and odd elements).
static inline void load_two(const float *p, Vec *a, Vec *b) {
  *a = load(p);
  *b = load(p + WIDTH);
}
static inline void load_two(const bf16 *p, Vec *even, Vec *odd) {
  const __m512i words = _mm512_loadu_si512(p);
  *even = _mm512_castsi512_ps(_mm512_slli_epi32(words, 16));
  *odd = _mm512_castsi512_ps(_mm512_and_si512(words, _mm512_set1_epi32(static_cast<int>(0xffff0000))));
}
static inline void store(float *p, Vec x) { _mm512_storeu_ps(p, x); }
static inline void store(bf16 *p, Vec x) { _mm256_storeu_si256(reinterpret_cast<__m256i *>(p), to_bf16(x)); }
// The counterpart of load_two; bfloat16 rounds to the nearest, a tie away from zero (one addition).
static inline void store_two(float *p, Vec a, Vec b) {
  store(p, a);
  store(p + WIDTH, b);
}
static inline void store_two(bf16 *p, Vec even, Vec odd) {
  const __m512i half = _mm512_set1_epi32(0x8000), upper = _mm512_set1_epi32(static_cast<int>(0xffff0000));
  const __m512i low = _mm512_srli_epi32(_mm512_add_epi32(_mm512_castps_si512(even), half), 16);
  const __m512i high = _mm512_add_epi32(_mm512_castps_si512(odd), half);
  _mm512_storeu_si512(p, _mm512_ternarylogic_epi32(high, upper, low, 0xea));  // (high & upper) | low
}
static inline void store_part(float *p, int64_t n, Vec x) { _mm512_mask_storeu_ps(p, first(n), x); }
static inline void store_part(bf16 *p, int64_t n, Vec x) { _mm256_mask_storeu_epi16(p, first(n), to_bf16(x)); }

static inline Vec add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
static inline Vec sub(Vec a, Vec b) { return _mm512_sub_ps(a, b); }
static inline Vec mul(Vec a, Vec b) { return _mm512_mul_ps(a, b); }
static inline Vec div(Vec a, Vec b) { return _mm512_div_ps(a, b); }
static inline Vec root(Vec a) { return _mm512_sqrt_ps(a); }
static inline Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
// b if either is NaN.
static inline Vec max(Vec a, Vec b) { return _mm512_max_ps(a, b); }
static inline Vec min(Vec a, Vec b) { return _mm512_min_ps(a, b); }
static inline unsigned bits_ge(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }
static inline unsigned bits_gt(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
static inline unsigned bits_nan(Vec a) { return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q); }
// 2^y: f = y - floor(y), a degree-5 polynomial for 2^f, scaled by 2^floor(y). Relative error below 2e-7; -inf gives
// exactly 0, NaN gives NaN.
template <class Polynomial>
static inline Vec exp2(Vec y, const Polynomial &polynomial) {
  return _mm512_scalef_ps(polynomial(_mm512_reduce_ps(y, _MM_FROUND_TO_NEG_INF)), y);
}
// Writes the lanes of `mask` without gaps; may write a whole vector.
static inline void compress(float *p, unsigned mask, Vec x) {
  _mm512_storeu_ps(p, _mm512_maskz_compress_ps(static_cast<__mmask16>(mask), x));
}
// The same with the lanes' numbers, from `start` on.
static inline void compress_ids(int32_t *p, unsigned mask, int32_t start) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i ids = _mm512_add_epi32(lanes, _mm512_set1_epi32(start));
  _mm512_storeu_si512(p, _mm512_maskz_compress_epi32(static_cast<__mmask16>(mask), ids));
}
// Moves the lanes of `mask` of a vector of ints from `from` to `to`; both may be in one list, with `to` not after
// `from`.
static inline void compress_ints(int32_t *to, unsigned mask, const int32_t *from) {
  _mm512_storeu_si512(to, _mm512_maskz_compress_epi32(static_cast<__mmask16>(mask), _mm512_loadu_si512(from)));
}
// x where a >= b, else 0.
static inline Vec where_ge(Vec a, Vec b, Vec x) { return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, b, _CMP_GE_OQ), x); }
static inline float max_lane(Vec x) { return _mm512_reduce_max_ps(x); }
// Sum in float, halves onto halves: short sums whose rounding does not matter.
static inline float sum_tree(Vec x) { return _mm512_reduce_add_ps(x); }

using Pair = struct {
  __m512d low, high;
};  // a vector of floats as doubles
static inline Pair widen(Vec x) {
  return {_mm512_cvtps_pd(_mm512_castps512_ps256(x)), _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1))};
}
static inline Pair pair_zero() { return {_mm512_setzero_pd(), _mm512_setzero_pd()}; }
static inline Pair pair_fma(Pair a, Pair b, Pair c) {
  return {_mm512_fmadd_pd(a.low, b.low, c.low), _mm512_fmadd_pd(a.high, b.high, c.high)};
}
static inline void pair_store(double *p, Pair x) {
  _mm512_storeu_pd(p, x.low);
  _mm512_storeu_pd(p + 8, x.high);
}

#elif defined(__AVX2__)

using Vec = __m256;
constexpr int WIDTH = 8;

static inline Vec vec(float x) { return _mm256_set1_ps(x); }
static inline Vec load(const float *p) { return _mm256_loadu_ps(p); }
static inline Vec load(const bf16 *p) {
  const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i *>(p));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
}
template <class T>
static inline Vec load_part(const T *p, int64_t n, float fill) {
  float lanes[WIDTH];
  for (int i = 0; i < WIDTH; i++) lanes[i] = i < n ? hir::to_float(p[i]) : fill;
  return load(lanes);
}
static inline __m128i to_bf16(Vec x) {
  const __m256i word = _mm256_castps_si256(x);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(word, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(word, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
  return _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
}
static inline void load_two(const float *p, Vec *a, Vec *b) {
  *a = load(p);
  *b = load(p + WIDTH);
}
static inline void load_two(const bf16 *p, Vec *even, Vec *odd) {
  const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(p));
  *even = _mm256_castsi256_ps(_mm256_slli_epi32(words, 16));
  *odd = _mm256_castsi256_ps(_mm256_and_si256(words, _mm256_set1_epi32(static_cast<int>(0xffff0000))));
}
static inline void store(float *p, Vec x) { _mm256_storeu_ps(p, x); }
static inline void store(bf16 *p, Vec x) { _mm_storeu_si128(reinterpret_cast<__m128i *>(p), to_bf16(x)); }
static inline void store_two(float *p, Vec a, Vec b) {
  store(p, a);
  store(p + WIDTH, b);
}
static inline void store_two(bf16 *p, Vec even, Vec odd) {
  const __m256i half = _mm256_set1_epi32(0x8000), upper = _mm256_set1_epi32(static_cast<int>(0xffff0000));
  const __m256i low = _mm256_srli_epi32(_mm256_add_epi32(_mm256_castps_si256(even), half), 16);
  const __m256i high = _mm256_and_si256(_mm256_add_epi32(_mm256_castps_si256(odd), half), upper);
  _mm256_storeu_si256(reinterpret_cast<__m256i *>(p), _mm256_or_si256(high, low));
}
template <class T>
static inline void store_part(T *p, int64_t n, Vec x) {
  T lanes[WIDTH];
  store(lanes, x);
  for (int i = 0; i < n; i++) p[i] = lanes[i];
}

static inline Vec add(Vec a, Vec b) { return _mm256_add_ps(a, b); }
static inline Vec sub(Vec a, Vec b) { return _mm256_sub_ps(a, b); }
static inline Vec mul(Vec a, Vec b) { return _mm256_mul_ps(a, b); }
static inline Vec div(Vec a, Vec b) { return _mm256_div_ps(a, b); }
static inline Vec root(Vec a) { return _mm256_sqrt_ps(a); }
static inline Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
static inline Vec max(Vec a, Vec b) { return _mm256_max_ps(a, b); }
static inline Vec min(Vec a, Vec b) { return _mm256_min_ps(a, b); }
static inline unsigned bits_ge(Vec a, Vec b) { return _mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GE_OQ)); }
static inline unsigned bits_gt(Vec a, Vec b) { return _mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ)); }
static inline unsigned bits_nan(Vec a) { return _mm256_movemask_ps(_mm256_cmp_ps(a, a, _CMP_UNORD_Q)); }
static inline Vec where_ge(Vec a, Vec b, Vec x) { return _mm256_and_ps(_mm256_cmp_ps(a, b, _CMP_GE_OQ), x); }
// As above, without scalef: adding 1.5 * 2^23 rounds y to an integer n in the low mantissa bits (127 more, so that n is
// biased for the exponent). Below 2^-126 the result is 0, above 2^126 it stays there.
template <class Polynomial>
static inline Vec exp2(Vec y, const Polynomial &polynomial) {
  const Vec bounded = min(vec(126.0f), max(vec(-126.0f), y)), bias = vec(12582912.0f + 127.0f);
  const Vec magic = add(bounded, bias);
  const Vec power = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(magic), 23));
  // Multiplied, not added to the exponent's bits, so that a NaN stays a NaN; "not less than" lets it pass too.
  const Vec value = mul(polynomial(sub(bounded, sub(magic, bias))), power);
  return _mm256_and_ps(_mm256_cmp_ps(y, vec(-126.0f), _CMP_NLT_UQ), value);
}
static inline void compress(float *p, unsigned mask, Vec x) {
  float lanes[WIDTH];
  store(lanes, x);
  for (; mask; mask &= mask - 1) *p++ = lanes[__builtin_ctz(mask)];
}
static inline void compress_ids(int32_t *p, unsigned mask, int32_t start) {
  for (; mask; mask &= mask - 1) *p++ = start + __builtin_ctz(mask);
}
static inline void compress_ints(int32_t *to, unsigned mask, const int32_t *from) {
  for (; mask; mask &= mask - 1) *to++ = from[__builtin_ctz(mask)];
}
static inline float sum_tree(Vec x) {
  const __m128 half = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
}
static inline float max_lane(Vec x) {
  float lanes[WIDTH];
  store(lanes, x);
  float best = lanes[0];
  for (int i = 1; i < WIDTH; i++) best = lanes[i] > best ? lanes[i] : best;
  return best;
}

using Pair = struct {
  __m256d low, high;
};
static inline Pair widen(Vec x) {
  return {_mm256_cvtps_pd(_mm256_castps256_ps128(x)), _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1))};
}
static inline Pair pair_zero() { return {_mm256_setzero_pd(), _mm256_setzero_pd()}; }
static inline Pair pair_fma(Pair a, Pair b, Pair c) {
  return {_mm256_fmadd_pd(a.low, b.low, c.low), _mm256_fmadd_pd(a.high, b.high, c.high)};
}
static inline void pair_store(double *p, Pair x) {
  _mm256_storeu_pd(p, x.low);
  _mm256_storeu_pd(p + 4, x.high);
}

#else
#error "vec.h: compile with AVX2 or AVX-512"
#endif

static inline double sum_lanes(Vec x) {
  float lanes[WIDTH];
  store(lanes, x);
  double sum = 0;
  for (int i = 0; i < WIDTH; i++) sum += lanes[i];
  return sum;
}

static inline double sum_lanes(Pair x) {
  double lanes[WIDTH];
  pair_store(lanes, x);
  double sum = 0;
  for (int i = 0; i < WIDTH; i++) sum += lanes[i];
  return sum;
}

#if defined(__AVX512F__)
// 2^f on [0, 1), minimax except for 2^0, which is exact: a row with one token has log-prob 0.
constexpr float EXP2_COEFFICIENTS[6] = {1.0f,           0x1.62e4f6p-1f, 0x1.ebd5a8p-3f,
                                        0x1.c95446p-5f, 0x1.26900cp-7f, 0x1.ec320ap-10f};
#else
// 2^f on [-0.5, 0.5], minimax.
constexpr float EXP2_COEFFICIENTS[6] = {1.0f,           0x1.62e428p-1f, 0x1.ebf918p-3f,
                                        0x1.c6b6e4p-5f, 0x1.3d0c52p-7f, 0x1.5c08e6p-10f};
#endif

// factor * 2^f. The factor is free: it is folded into the coefficients.
struct Exp2 {
  Vec c[6];

  explicit Exp2(double factor = 1) {
    for (int i = 0; i < 6; i++) c[i] = vec(static_cast<float>(factor * EXP2_COEFFICIENTS[i]));
  }

  Vec operator()(Vec f) const {
    Vec p = fma(c[5], f, c[4]);
    p = fma(p, f, c[3]);
    p = fma(p, f, c[2]);
    p = fma(p, f, c[1]);
    return fma(p, f, c[0]);
  }
};

static inline Vec exp2(Vec y) { return exp2(y, Exp2()); }

}  // namespace
