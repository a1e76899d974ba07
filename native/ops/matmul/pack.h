// Packs the right side of a product, step by step: see kernel.h for the layout.
#pragma once

#include <string.h>
#include <time.h>

#include "kernel.h"
#include "vec.h"

namespace {

using hir::PANEL;
using hir::STEP;

// The first `n` elements; none if n is not positive.
template <class T>
static inline Vec load_first(const T *p, int64_t n) {
  return n >= WIDTH ? load(p) : n > 0 ? load_part(p, n, 0) : vec(0);
}

// Words of a pair from two vectors of floats that are bfloat16.
static inline void store_pairs(void *p, Vec first, Vec second) {
#if defined(__AVX512F__)
  const __m512i low = _mm512_srli_epi32(_mm512_castps_si512(first), 16);
  _mm512_storeu_si512(p, _mm512_or_si512(low, _mm512_castps_si512(second)));
#else
  const __m256i low = _mm256_srli_epi32(_mm256_castps_si256(first), 16);
  _mm256_storeu_si256(static_cast<__m256i *>(p), _mm256_or_si256(low, _mm256_castps_si256(second)));
#endif
}

// WIDTH x WIDTH words: rows of `from`, any bytes apart, become columns of `to`, whose rows are PANEL apart.
static inline void transpose(const char *from, int64_t row_bytes, float *to) {
  Vec r[WIDTH];
#pragma GCC unroll 16
  for (int i = 0; i < WIDTH; i++) r[i] = load(reinterpret_cast<const float *>(from + i * row_bytes));
#if defined(__AVX512F__)
  __m512d d[16];
  Vec q[16];
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    const __m512d l0 = _mm512_castps_pd(_mm512_unpacklo_ps(r[i], r[i + 1]));
    const __m512d h0 = _mm512_castps_pd(_mm512_unpackhi_ps(r[i], r[i + 1]));
    const __m512d l1 = _mm512_castps_pd(_mm512_unpacklo_ps(r[i + 2], r[i + 3]));
    const __m512d h1 = _mm512_castps_pd(_mm512_unpackhi_ps(r[i + 2], r[i + 3]));
    d[i] = _mm512_unpacklo_pd(l0, l1);  // of every lane of 16 bytes its words 0 of rows i to i + 3, and so on
    d[i + 1] = _mm512_unpackhi_pd(l0, l1);
    d[i + 2] = _mm512_unpacklo_pd(h0, h1);
    d[i + 3] = _mm512_unpackhi_pd(h0, h1);
  }
#pragma GCC unroll 4
  for (int w = 0; w < 4; w++) {
    const Vec a = _mm512_castpd_ps(d[w]), b = _mm512_castpd_ps(d[4 + w]), c = _mm512_castpd_ps(d[8 + w]),
              e = _mm512_castpd_ps(d[12 + w]);
    const Vec ab = _mm512_shuffle_f32x4(a, b, 0x88), ce = _mm512_shuffle_f32x4(c, e, 0x88);
    const Vec ab1 = _mm512_shuffle_f32x4(a, b, 0xdd), ce1 = _mm512_shuffle_f32x4(c, e, 0xdd);
    q[w] = _mm512_shuffle_f32x4(ab, ce, 0x88);
    q[8 + w] = _mm512_shuffle_f32x4(ab, ce, 0xdd);
    q[4 + w] = _mm512_shuffle_f32x4(ab1, ce1, 0x88);
    q[12 + w] = _mm512_shuffle_f32x4(ab1, ce1, 0xdd);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) store(to + i * PANEL, q[i]);
#else
  Vec d[8];
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    const __m256d l0 = _mm256_castps_pd(_mm256_unpacklo_ps(r[i], r[i + 1]));
    const __m256d h0 = _mm256_castps_pd(_mm256_unpackhi_ps(r[i], r[i + 1]));
    const __m256d l1 = _mm256_castps_pd(_mm256_unpacklo_ps(r[i + 2], r[i + 3]));
    const __m256d h1 = _mm256_castps_pd(_mm256_unpackhi_ps(r[i + 2], r[i + 3]));
    d[i] = _mm256_castpd_ps(_mm256_unpacklo_pd(l0, l1));
    d[i + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(l0, l1));
    d[i + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(h0, h1));
    d[i + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(h0, h1));
  }
#pragma GCC unroll 4
  for (int w = 0; w < 4; w++) {
    store(to + w * PANEL, _mm256_permute2f128_ps(d[w], d[4 + w], 0x20));
    store(to + (4 + w) * PANEL, _mm256_permute2f128_ps(d[w], d[4 + w], 0x31));
  }
#endif
}

// A whole step: words of PANEL rows.
template <class E>
static void pack_whole(const char *w, int64_t row_bytes, float *step) {
  constexpr int64_t WORDS = STEP * sizeof(E) / sizeof(float);
  for (int64_t c = 0; c < PANEL; c += WIDTH) {
    for (int64_t i = 0; i < WORDS; i += WIDTH) transpose(w + c * row_bytes + i * 4, row_bytes, step + i * PANEL + c);
  }
}

template <class E>
static void pack_across(const void *w, int64_t stride, int64_t columns, int64_t k, void *step) {
  if (columns >= PANEL && k >= STEP) {
    return pack_whole<E>(static_cast<const char *>(w), stride * sizeof(E), static_cast<float *>(step));
  }
  E whole[PANEL * STEP];
  memset(whole, 0, sizeof whole);
  for (int64_t c = 0; c < PANEL && c < columns; c++) {
    if (k > 0) memcpy(whole + c * STEP, static_cast<const E *>(w) + c * stride, sizeof(E) * (k < STEP ? k : STEP));
  }
  pack_whole<E>(reinterpret_cast<const char *>(whole), STEP * sizeof(E), static_cast<float *>(step));
}

template <class E>
static void pack_down(const void *w, int64_t stride, int64_t columns, int64_t k, void *step) {
  float *const to = static_cast<float *>(step);
  for (int64_t c = 0; c < PANEL; c += WIDTH) {
    const E *const from = static_cast<const E *>(w) + c;
    const auto row = [from, stride, columns, k, c](int64_t i) {
      return i < k ? load_first(from + i * stride, columns - c) : vec(0);
    };
    if (sizeof(E) == sizeof(float)) {
      for (int64_t i = 0; i < STEP; i++) store(to + i * PANEL + c, row(i));
    } else {
      for (int64_t i = 0; i < STEP; i += 2) store_pairs(to + i / 2 * PANEL + c, row(i), row(i + 1));
    }
  }
}

// Words of rows 2 i and 2 i + 1, pairs of one column each, as pairs of one row each: alternately `low` of the first
// elements and `high` of the second ones.
static inline void store_turned(float *to, Vec even, Vec odd) {
#if defined(__AVX512F__)
  const __m512i a = _mm512_castps_si512(even), b = _mm512_castps_si512(odd);
  const __m512i low = _mm512_or_si512(_mm512_and_si512(a, _mm512_set1_epi32(0xffff)), _mm512_slli_epi32(b, 16));
  const __m512i high =
      _mm512_or_si512(_mm512_srli_epi32(a, 16), _mm512_and_si512(b, _mm512_set1_epi32(static_cast<int>(0xffff0000))));
  const __m512i first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(8));
  store(to, _mm512_castsi512_ps(_mm512_permutex2var_epi32(low, first, high)));
  store(to + WIDTH, _mm512_castsi512_ps(_mm512_permutex2var_epi32(low, second, high)));
#else
  const __m256i a = _mm256_castps_si256(even), b = _mm256_castps_si256(odd);
  const __m256i low = _mm256_or_si256(_mm256_and_si256(a, _mm256_set1_epi32(0xffff)), _mm256_slli_epi32(b, 16));
  const __m256i high =
      _mm256_or_si256(_mm256_srli_epi32(a, 16), _mm256_and_si256(b, _mm256_set1_epi32(static_cast<int>(0xffff0000))));
  const __m256i near = _mm256_unpacklo_epi32(low, high), far = _mm256_unpackhi_epi32(low, high);
  store(to, _mm256_castsi256_ps(_mm256_permute2x128_si256(near, far, 0x20)));
  store(to + WIDTH, _mm256_castsi256_ps(_mm256_permute2x128_si256(near, far, 0x31)));
#endif
}

template <class E>
static void turn(const void *step, void *turned) {
  constexpr int64_t ROW = PANEL * sizeof(float);
  float *const to = static_cast<float *>(turned);
  const char *const from = static_cast<const char *>(step);
  if (sizeof(E) == sizeof(float)) {
    for (int64_t i = 0; i < STEP; i += WIDTH) {
      for (int64_t c = 0; c < PANEL; c += WIDTH) transpose(from + i * ROW + c * 4, ROW, to + c * PANEL + i);
    }
    return;
  }
  constexpr int64_t PAIRS = STEP / 2;
  float words[WIDTH * PANEL];  // of WIDTH columns, their pairs
  for (int64_t c = 0; c < PANEL; c += WIDTH) {
    for (int64_t i = 0; i < PAIRS; i += WIDTH) transpose(from + i * ROW + c * 4, ROW, words + i);
    for (int64_t r = 0; r < WIDTH; r += 2) {
      for (int64_t i = 0; i < PAIRS; i += WIDTH) {
        store_turned(to + (c + r) / 2 * PANEL + 2 * i, load(words + r * PANEL + i), load(words + (r + 1) * PANEL + i));
      }
    }
  }
}

// For ceilings: the thread's own time, which does not depend on other load.
static double seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace
