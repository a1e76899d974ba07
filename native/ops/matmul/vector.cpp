// The products on vectors: float32; bfloat16 by conversion to float32, or by bfloat16 products if the instruction set
// has them (AVX512-BF16). Tiles of up to TILE rows and a panel; every lane of an accumulator is one element's chain.
#include <string.h>

#include "finish.h"
#include "pack.h"

namespace {

using hir::Job;
using hir::Right;

#if defined(__AVX512F__)
constexpr int TILE = 12, VECTORS = PANEL / WIDTH;
#else
// A tile covers half a panel, but one of few rows covers all of it, because it is bound by reading the panel.
constexpr int TILE = 6, VECTORS = PANEL / WIDTH / 2;
#endif
constexpr int LOW_TILE = TILE / 2;

#if defined(__AVX512BF16__)
constexpr bool DOTS = true;
#else
constexpr bool DOTS = false;
#endif

// Two elements of bfloat16 at once.
static inline Vec first_of(Vec pairs) {
#if defined(__AVX512F__)
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(pairs), 16));
#else
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(pairs), 16));
#endif
}
static inline Vec second_of(Vec pairs) {
#if defined(__AVX512F__)
  return _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(pairs), _mm512_set1_epi32(static_cast<int>(0xffff0000))));
#else
  return _mm256_and_ps(pairs, _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int>(0xffff0000))));
#endif
}
#if defined(__AVX512BF16__)
// sum + second * second + first * first, each rounded
static inline Vec dots(Vec sum, Vec a, Vec b) {
  asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  return sum;
}
#endif

// A word in all lanes; pairs of bfloat16 may lie at any even address.
static inline Vec word(const float *p) {
  float x;
  memcpy(&x, p, sizeof x);
  return vec(x);
}

// The left side of a tile, by rows (of a product), or packed [element][TILE] (of a gradient), in words: an element of
// float, or a pair of bfloat16 if there are products of them.
template <int ROWS>
struct Rows {
  const float *row[ROWS];

  Rows(const char *a, int64_t row_bytes) {
    for (int r = 0; r < ROWS; r++) row[r] = reinterpret_cast<const float *>(a + r * row_bytes);
  }
  const float *at(int r, int64_t i) const { return row[r] + i; }
};
template <int ROWS>
struct Across {
  const float *a;

  Across(const char *a, int64_t) : a(reinterpret_cast<const float *>(a)) {}
  const float *at(int r, int64_t i) const { return a + i * TILE + r; }
};

// sums [ROWS][PANEL] = start and the products of `steps` steps, for `VECS` vectors of a panel from `column` on. The start
// may be the sums.
template <class E, int ROWS, int VECS, template <int> class Left>
static inline void tile(const char *a, int64_t row_bytes, const Right &right_side, int64_t column, int64_t steps,
                        const float *start, float *sums) {
  const Left<ROWS> left(a, row_bytes);
  Vec acc[ROWS][VECS];
  for (int r = 0; r < ROWS; r++) {
    for (int v = 0; v < VECS; v++) acc[r][v] = load(start + r * PANEL + v * WIDTH);
  }
  for (int64_t s = 0; s < steps; s++) {
    const float *w = reinterpret_cast<const float *>(right_side.step(s)) + column;
    if (sizeof(E) == sizeof(float)) {
      for (int64_t i = s * STEP; i < (s + 1) * STEP; i++, w += PANEL) {
        Vec right[VECS];
        for (int v = 0; v < VECS; v++) right[v] = load(w + v * WIDTH);
#pragma GCC unroll 12
        for (int r = 0; r < ROWS; r++) {
          const Vec value = word(left.at(r, i));
          for (int v = 0; v < VECS; v++) acc[r][v] = fma(value, right[v], acc[r][v]);
        }
      }
    } else {
      for (int64_t i = s * STEP / 2; i < (s + 1) * STEP / 2; i++, w += PANEL) {
        Vec right[VECS];
        for (int v = 0; v < VECS; v++) right[v] = load(w + v * WIDTH);
#if defined(__AVX512BF16__)
#pragma GCC unroll 12
        for (int r = 0; r < ROWS; r++) {
          const Vec value = word(left.at(r, i));
          for (int v = 0; v < VECS; v++) acc[r][v] = dots(acc[r][v], value, right[v]);
        }
#else
        // In the order of AVX512-BF16: the second element of a pair first.
        Vec second[VECS];
        for (int v = 0; v < VECS; v++) second[v] = second_of(right[v]);
#pragma GCC unroll 12
        for (int r = 0; r < ROWS; r++) {
          const Vec value = word(left.at(r, 2 * i + 1));
          for (int v = 0; v < VECS; v++) acc[r][v] = fma(value, second[v], acc[r][v]);
        }
        for (int v = 0; v < VECS; v++) right[v] = first_of(right[v]);
#pragma GCC unroll 12
        for (int r = 0; r < ROWS; r++) {
          const Vec value = word(left.at(r, 2 * i));
          for (int v = 0; v < VECS; v++) acc[r][v] = fma(value, right[v], acc[r][v]);
        }
#endif
      }
    }
  }
  for (int r = 0; r < ROWS; r++) {
    for (int v = 0; v < VECS; v++) store(sums + r * PANEL + v * WIDTH, acc[r][v]);
  }
}

template <class E, int ROWS, template <int> class Left>
static void whole_tile(const char *a, int64_t row_bytes, const Right &b, int64_t steps, const float *start, float *sums) {
  if (ROWS <= LOW_TILE) {
    tile<E, ROWS, PANEL / WIDTH, Left>(a, row_bytes, b, 0, steps, start, sums);
  } else {
    for (int v = 0; v < PANEL / WIDTH; v += VECTORS) {
      tile<E, ROWS, VECTORS, Left>(a, row_bytes, b, v * WIDTH, steps, start + v * WIDTH, sums + v * WIDTH);
    }
  }
}

template <class E, template <int> class Left>
static void any_tile(int64_t rows, const char *a, int64_t row_bytes, const Right &b, int64_t steps, const float *start,
                     float *sums) {
  switch (rows) {
    case 1: return whole_tile<E, 1, Left>(a, row_bytes, b, steps, start, sums);
    case 2: return whole_tile<E, 2, Left>(a, row_bytes, b, steps, start, sums);
    case 3: return whole_tile<E, 3, Left>(a, row_bytes, b, steps, start, sums);
    case 4: return whole_tile<E, 4, Left>(a, row_bytes, b, steps, start, sums);
    case 5: return whole_tile<E, 5, Left>(a, row_bytes, b, steps, start, sums);
    case 6: return whole_tile<E, 6, Left>(a, row_bytes, b, steps, start, sums);
#if defined(__AVX512F__)
    case 7: return whole_tile<E, 7, Left>(a, row_bytes, b, steps, start, sums);
    case 8: return whole_tile<E, 8, Left>(a, row_bytes, b, steps, start, sums);
    case 9: return whole_tile<E, 9, Left>(a, row_bytes, b, steps, start, sums);
    case 10: return whole_tile<E, 10, Left>(a, row_bytes, b, steps, start, sums);
    case 11: return whole_tile<E, 11, Left>(a, row_bytes, b, steps, start, sums);
    case 12: return whole_tile<E, 12, Left>(a, row_bytes, b, steps, start, sums);
#endif
  }
}

alignas(64) constexpr float ZEROS[TILE * PANEL] = {};

template <class E>
static void run(const Job &job) {
  // Tiles of nearly equal height: 13 rows are 7 and 6, not 12 and 1. Few rows are bound by reading whole panels.
  const int64_t highest = job.rows <= 2 * TILE && VECTORS * WIDTH < PANEL ? LOW_TILE : TILE;
  const int64_t tiles = (job.rows + highest - 1) / highest;
  float *carry = job.carry;
  alignas(64) float sums[TILE * PANEL];
  for (int64_t p = job.from; p < job.to; p++) {
    for (int64_t t = 0; t < tiles; t++) {
      const int64_t from = job.rows * t / tiles, rows = job.rows * (t + 1) / tiles - from, row = job.row + from;
      float *at = sums;
      if (carry) {
        at = carry;
        carry += TILE * PANEL;
      }
      const bool fresh = job.first && job.sink->kind != Sink::CONTINUE;
      if (job.first && !fresh) {
        for (int64_t r = 0; r < rows; r++) start_from(*job.sink, row + r, p, job.columns, at + r * PANEL);
      }
      any_tile<E, Rows>(rows, job.a + from * job.row_bytes, job.row_bytes, job.panel(p, sizeof(E)), job.steps,
                        fresh ? ZEROS : at, at);
      if (job.last) finish<E>(*job.sink, at, row, rows, p, job.columns);
    }
  }
}

template <class E>
static void run_gradient(const Job &job) {
  // Bytes of a packed step of one row: of words of 4 bytes, an element or a pair of bfloat16.
  constexpr int64_t STEP_BYTES = sizeof(E) == sizeof(bf16) && DOTS ? STEP * 2 : STEP * 4;
  alignas(64) float sums[TILE * PANEL];
  for (int64_t p = job.from; p < job.to; p++) {
    for (int64_t from = 0; from < job.rows; from += TILE) {
      const int64_t rows = job.rows - from < TILE ? job.rows - from : TILE;
      load_gradient(*job.gradient, job.row + from, rows, p, sums);
      const int64_t next = job.rows - from - TILE;
      fetch_gradient(*job.gradient, job.row + from + TILE, next < TILE ? next : TILE, p);
      any_tile<E, Across>(rows, job.a + from * job.steps * STEP_BYTES, 0, job.panel(p, sizeof(E)), job.steps, sums, sums);
      store_gradient(*job.gradient, job.row + from, rows, p, sums);
    }
  }
}

static void nothing() {}

// --- the left side

// Unchanged rows, padded with zeros; or as floats.
template <class E, class To>
static void pack_left(const void *x, int64_t stride, int64_t rows, int64_t k, int64_t steps, int64_t row_bytes, char *a) {
  const int64_t whole = k < steps * STEP ? k : steps * STEP;
  for (int64_t r = 0; r < rows; r++) {
    const E *const from = static_cast<const E *>(x) + r * stride;
    To *const to = reinterpret_cast<To *>(a + r * row_bytes);
    if (sizeof(E) == sizeof(To)) {
      memcpy(to, from, sizeof(E) * whole);
      memset(to + whole, 0, sizeof(E) * (steps * STEP - whole));
    } else {
      for (int64_t i = 0; i < steps * STEP; i += WIDTH) store(to + i, load_first(from + i, whole - i));
    }
  }
}

// Tiles of [element][TILE], of words. Whole vectors are stored: the next one overwrites the excess, and there is
// padding after the last tile.
template <class E>
static void pack_left_across(const void *dy, int64_t stride, int64_t rows, int64_t k, int64_t steps, char *a) {
  float *to = reinterpret_cast<float *>(a);
  for (int64_t m = 0; m < rows; m += TILE) {
    const E *from = static_cast<const E *>(dy) + m;
    const int64_t n = rows - m;
    if (sizeof(E) == sizeof(bf16) && DOTS) {
      for (int64_t i = 0; i < steps * STEP; i += 2, to += TILE) {
        const Vec first = i < k ? load_first(from + i * stride, n) : vec(0);
        const Vec second = i + 1 < k ? load_first(from + (i + 1) * stride, n) : vec(0);
        store_pairs(to, first, second);
      }
    } else {
      for (int64_t i = 0; i < steps * STEP; i++, to += TILE) {
        store(to, i < k ? load_first(from + i * stride, n) : vec(0));
      }
    }
  }
}

// --- the ceiling

// Not of zeros, which need less power and run at a higher clock.
template <class E>
static double ceiling() {
  constexpr int CHAINS = 12, TURNS = 20000;
  constexpr bool PAIRS = sizeof(E) == sizeof(bf16) && DOTS;
  Vec x = vec(0.3712f), y = vec(0.2291f), acc[CHAINS];
  double best = 0;
  for (int turn = 0; turn < 20; turn++) {
    for (int i = 0; i < CHAINS; i++) acc[i] = vec(static_cast<float>(i));
    const double start = seconds();
    for (int t = 0; t < TURNS; t++) {
      asm volatile("" : "+v"(x), "+v"(y));
#pragma GCC unroll 12
      for (int i = 0; i < CHAINS; i++) {
#if defined(__AVX512BF16__)
        acc[i] = PAIRS ? dots(acc[i], x, y) : fma(x, y, acc[i]);
#else
        acc[i] = fma(x, y, acc[i]);
#endif
      }
    }
    for (int i = 0; i < CHAINS; i++) asm volatile("" : : "v"(acc[i]));
    const double rate = 2.0 * (PAIRS ? 2 : 1) * WIDTH * CHAINS * TURNS / (seconds() - start) * 1e-9;
    best = rate > best ? rate : best;
  }
  return best;
}

}  // namespace

namespace hir::HIR_ISA {

// Left sides: unchanged elements, or bfloat16 as floats.
#define HIR_KERNEL(E, LEFT, PACKS) \
  {TILE, \
   sizeof(E), \
   STEP * sizeof(LEFT), \
   PACKS, \
   STEP * (sizeof(E) == 2 && DOTS ? 2 : 4), \
   nothing, \
   nothing, \
   pack_left<E, LEFT>, \
   pack_left_across<E>, \
   pack_across<E>, \
   pack_down<E>, \
   turn<E>, \
   run<E>, \
   run_gradient<E>, \
   ceiling<E>}
#if defined(__AVX512BF16__)
extern const MatmulKernel matmul_kernels[2] = {{}, HIR_KERNEL(bf16, bf16, false)};
#else
extern const MatmulKernel matmul_kernels[2] = {HIR_KERNEL(float, float, false), HIR_KERNEL(bf16, float, true)};
#endif
#undef HIR_KERNEL

}  // namespace hir::HIR_ISA
