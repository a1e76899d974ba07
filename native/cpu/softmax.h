// The statistics of softmax(x / temperature) over a row, block by block. Logits are taken to base 2:
// y = x * scale - reference with scale = log2(e) / temperature, so that exp is 2^y.
#pragma once

#include <math.h>

#include "block_stats.h"
#include "vec.h"

namespace {

using hir::BLOCK;
using hir::BlockStats;

constexpr double LOG2E = 1.4426950408889634, LN2 = 0.6931471805599453;

struct RowStats {
  float pivot;     // a logit near the row's maximum: x - pivot is exact where it matters
  double offset;   // p = 2^((x - pivot) * scale + offset)
  double log_sum;  // of 2^(x * scale), to base 2
  double entropy;  // nats
  bool valid;      // false: a NaN, a +inf, or no finite logit
};

static inline int64_t block_count(int64_t cols) { return (cols + BLOCK - 1) / BLOCK; }
static inline int64_t block_length(int64_t cols, int64_t block) {
  const int64_t left = cols - block * BLOCK;
  return left < BLOCK ? left : BLOCK;
}

// The n-th vector of a row of any length.
template <class T>
static inline Vec load_padded(const T *x, int64_t left) {
  return left >= WIDTH ? load(x) : load_part(x, left, -INFINITY);
}

// NaN is ignored.
template <class T>
static inline float max_of(const T *x, int64_t n) {
  Vec m0 = vec(-INFINITY), m1 = m0, m2 = m0, m3 = m0;
  int64_t i = 0;
  for (; i + 4 * WIDTH <= n; i += 4 * WIDTH) {
    Vec a, b, c, d;
    load_two(x + i, &a, &b);
    load_two(x + i + 2 * WIDTH, &c, &d);
    m0 = max(a, m0);
    m1 = max(b, m1);
    m2 = max(c, m2);
    m3 = max(d, m3);
  }
  for (; i < n; i += WIDTH) m0 = max(load_padded(x + i, n - i), m0);
  return max_lane(max(max(m0, m1), max(m2, m3)));
}

// Any block: relative to its true maximum, without masked logits.
template <class T>
static BlockStats careful_block_stats(const T *x, int64_t n, float scale) {
  const float top = max_of(x, n);
  const double reference = static_cast<double>(top) * scale;
  bool bad = top == INFINITY;
  Vec s = vec(0), t = s;
  for (int64_t i = 0; i < n; i += WIDTH) {
    const Vec logits = load_padded(x + i, n - i);
    if (bits_nan(logits)) bad = true;
    if (top == -INFINITY) continue;
    // A floor avoids -inf * 0; subtracting first avoids overflow.
    const Vec y = max(vec(-1000.0f), mul(sub(logits, vec(top)), vec(scale)));
    const Vec e = exp2(y);
    s = add(s, e);
    t = fma(y, e, t);
  }
  return {reference, sum_lanes(s), bad ? NAN : sum_lanes(t), top};
}

// The usual block in one pass: relative to the maximum of its first vectors, which is good enough unless something
// rises far above it. Unusual blocks (a high peak, -inf, NaN, the end of a row) are done again by the careful version.
// Prefetches the next block.
template <class T>
static inline BlockStats block_stats(const T *x, int64_t n, float scale) {
  if (n < BLOCK) return careful_block_stats(x, n, scale);
  constexpr int64_t SAMPLE = 16 * WIDTH;
  constexpr double PEAK = 1 << 14;
  const float pivot = max_of(x, SAMPLE);
  const float reference = pivot * scale;
  const Vec k = vec(scale), c = vec(-reference);
  Vec s0 = vec(0), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
  const char *ahead = reinterpret_cast<const char *>(x + BLOCK);
  for (int64_t i = 0; i < BLOCK; i += 4 * WIDTH) {
    for (size_t line = 0; line < 4 * WIDTH * sizeof(T); line += 64) {
      __builtin_prefetch(ahead + i * sizeof(T) + line, 0, 3);
    }
    Vec y0, y1, y2, y3;
    load_two(x + i, &y0, &y1);
    load_two(x + i + 2 * WIDTH, &y2, &y3);
    y0 = fma(y0, k, c);
    y1 = fma(y1, k, c);
    y2 = fma(y2, k, c);
    y3 = fma(y3, k, c);
    const Vec e0 = exp2(y0), e1 = exp2(y1), e2 = exp2(y2), e3 = exp2(y3);
    s0 = add(s0, e0);
    s1 = add(s1, e1);
    s2 = add(s2, e2);
    s3 = add(s3, e3);
    t0 = fma(y0, e0, t0);
    t1 = fma(y1, e1, t1);
    t2 = fma(y2, e2, t2);
    t3 = fma(y3, e3, t3);
  }
  const double sum = sum_lanes(add(add(s0, s1), add(s2, s3)));
  const double weighted = sum_lanes(add(add(t0, t1), add(t2, t3)));
  if (!(sum < PEAK) || !(fabs(weighted) < INFINITY)) return careful_block_stats(x, n, scale);
  return {reference, sum, weighted, pivot};
}

// Combines the blocks of a row, in order.
static inline RowStats row_stats(const BlockStats *blocks, int64_t count, float scale) {
  RowStats row = {0, 0, 0, 0, true};
  double reference = -INFINITY;
  for (int64_t b = 0; b < count; b++) {
    if (blocks[b].weighted != blocks[b].weighted) row.valid = false;
    if (blocks[b].reference > reference) {
      reference = blocks[b].reference;
      row.pivot = blocks[b].pivot;
    }
  }
  if (reference == -INFINITY) row.valid = false;
  if (!row.valid) return row;
  double sum = 0, weighted = 0;
  for (int64_t b = 0; b < count; b++) {
    const double shift = blocks[b].reference - reference, factor = ::exp2(shift);
    if (factor == 0) continue;
    sum += blocks[b].sum * factor;
    weighted += (blocks[b].weighted + blocks[b].sum * shift) * factor;
  }
  row.log_sum = reference + log2(sum);
  row.offset = static_cast<double>(row.pivot) * scale - row.log_sum;
  row.entropy = LN2 * (log2(sum) - weighted / sum);
  if (row.entropy < 0) row.entropy = 0;  // rounding of a one-hot row
  return row;
}

// Log-prob, nats. The sum includes the scale's rounding to float, but only near the pivot: a distant logit is computed
// in double.
template <class T>
static inline double logprob_of(T logit, const RowStats &row, double temperature) {
  const double value = (static_cast<double>(hir::to_float(logit)) - row.pivot) / temperature + LN2 * row.offset;
  return value > 0 ? 0 : value;
}

// The probabilities of one vector of logits.
static inline Vec probabilities(Vec logits, const RowStats &row, float scale) {
  return exp2(fma(sub(logits, vec(row.pivot)), vec(scale), vec(static_cast<float>(row.offset))));
}

}  // namespace
