// Matrix products with few rows on one side: x [m, k] times a packed matrix, tile by tile.
//
// A packed matrix is a row of panels of NR output columns, each [k][NR]. Every element of a product is one chain of
// fused multiply-adds over k in order, whatever the tile it falls into: results do not depend on the batch.
//
// And the product that a weight's gradient is: y^T x, long over the rows of both.
#pragma once

#include "vec.h"

namespace {

constexpr int NR = 2 * WIDTH;
#if defined(__AVX512F__)
constexpr int MR = 8;
#else
constexpr int MR = 4;
#endif

static inline int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// A sum that begins with nothing.
struct Zero {
  void operator()(int, Vec *low, Vec *high) const { *low = *high = vec(0); }
};

// MR rows, or the rest: x[i] is row i, panel(s) the s-th stretch of `length` steps of k, sink(i, low, high) takes row
// i's NR results, and start(i, &low, &high) says what they begin with.
template <int M, class Panel, class Sink, class Start>
static inline void tile(const float *const *x, int64_t k, int64_t length, const Panel &panel, const Sink &sink,
                        const Start &start) {
  Vec low[M], high[M];
  const float *row[M];
  for (int i = 0; i < M; i++) {
    start(i, &low[i], &high[i]);
    row[i] = x[i];
  }
  for (int64_t from = 0; from < k; from += length) {
    const auto *w = panel(from / length);
    const int64_t end = from + length < k ? from + length : k;
    for (int64_t j = from; j < end; j++, w += NR) {
      Vec a, b;
      load_two(w, &a, &b);
#pragma GCC unroll 8
      for (int i = 0; i < M; i++) {
        const Vec value = vec(row[i][j]);
        low[i] = fma(value, a, low[i]);
        high[i] = fma(value, b, high[i]);
      }
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < M; i++) sink(i, low[i], high[i]);
}

template <class Panel, class Sink, class Start = Zero>
static inline void tile(int m, const float *const *x, int64_t k, int64_t length, const Panel &panel, const Sink &sink,
                        const Start &start = Start()) {
  switch (m) {
    case 1: return tile<1>(x, k, length, panel, sink, start);
    case 2: return tile<2>(x, k, length, panel, sink, start);
    case 3: return tile<3>(x, k, length, panel, sink, start);
    case 4: return tile<4>(x, k, length, panel, sink, start);
#if defined(__AVX512F__)
    case 5: return tile<5>(x, k, length, panel, sink, start);
    case 6: return tile<6>(x, k, length, panel, sink, start);
    case 7: return tile<7>(x, k, length, panel, sink, start);
    case 8: return tile<8>(x, k, length, panel, sink, start);
#endif
  }
}

// Part of a product: rows [first, last) and panels [from, to). sink(row, panel, low, high).
//
// Weights are walked in stretches that stay in the second-level cache while all rows pass over them; a tile's rows stay
// in the first-level cache.
template <class W, class Sink>
static void gemm(const float *x, int64_t stride, int64_t first, int64_t last, const W *packed, int64_t k, int64_t from,
                 int64_t to, const Sink &sink) {
  constexpr int64_t CACHED = 256 * 1024;
  const int64_t panels = CACHED / (k * NR * static_cast<int64_t>(sizeof(W))) + 1;
  // Tiles of even height: 9 rows are 5 and 4, not 8 and 1.
  const int64_t tiles = (last - first + MR - 1) / MR;
  for (int64_t block = from; block < to; block += panels) {
    const int64_t block_end = block + panels < to ? block + panels : to;
    for (int64_t t = 0; t < tiles; t++) {
      const int64_t row = first + (last - first) * t / tiles, end = first + (last - first) * (t + 1) / tiles;
      const float *rows[MR];
      for (int64_t i = row; i < end; i++) rows[i - row] = x + i * stride;
      for (int64_t p = block; p < block_end; p++) {
        const W *start = packed + p * k * NR;
        tile(static_cast<int>(end - row), rows, k, k, [start](int64_t) { return start; },
             [&](int i, Vec low, Vec high) { sink(row + i, p, low, high); });
      }
    }
  }
}

// `count` rows of W [count, k] as the panels of x W^T; a last panel is filled up with zeros.
static inline void pack_rows(const float *w, int64_t count, int64_t k, float *panels) {
  for (int64_t row = 0; row < round_up(count, NR); row++) {
    float *out = panels + row / NR * k * NR + row % NR;
    for (int64_t i = 0; i < k; i++) out[i * NR] = row < count ? w[row * k + i] : 0;
  }
}

// The first NR columns of y's W [rows, stride], of which there are `columns`, as a panel of y W.
static inline void pack_columns(const float *w, int64_t stride, int64_t rows, int64_t columns, float *panel) {
  const int64_t n = columns < WIDTH ? columns : WIDTH, more = columns - n < WIDTH ? columns - n : WIDTH;
  for (int64_t row = 0; row < rows; row++, w += stride, panel += NR) {
    store(panel, load_part(w, n, 0));
    store(panel + WIDTH, more > 0 ? load_part(w + WIDTH, more, 0) : vec(0));
  }
}

// One tile of a product of which neither side is packed: element (i, j) of the left one lies at a[i * row + j * step], a
// row of the right one `across` behind the one before it. sink(i, low, high) as for tile.
template <int M, class Sink>
static inline void block(const float *a, int64_t row, int64_t step, const float *b, int64_t across, int64_t k,
                         const Sink &sink) {
  Vec low[M], high[M];
  for (int i = 0; i < M; i++) low[i] = high[i] = vec(0);
  for (int64_t j = 0; j < k; j++, a += step, b += across) {
    const Vec left = load(b), right = load(b + WIDTH);
#pragma GCC unroll 8
    for (int i = 0; i < M; i++) {
      const Vec value = vec(a[i * row]);
      low[i] = fma(value, left, low[i]);
      high[i] = fma(value, right, high[i]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < M; i++) sink(i, low[i], high[i]);
}

template <class Sink>
static inline void block(int m, const float *a, int64_t row, int64_t step, const float *b, int64_t across, int64_t k,
                         const Sink &sink) {
  switch (m) {
    case 1: return block<1>(a, row, step, b, across, k, sink);
    case 2: return block<2>(a, row, step, b, across, k, sink);
    case 3: return block<3>(a, row, step, b, across, k, sink);
    case 4: return block<4>(a, row, step, b, across, k, sink);
#if defined(__AVX512F__)
    case 5: return block<5>(a, row, step, b, across, k, sink);
    case 6: return block<6>(a, row, step, b, across, k, sink);
    case 7: return block<7>(a, row, step, b, across, k, sink);
    case 8: return block<8>(a, row, step, b, across, k, sink);
#endif
  }
}

// The first columns of a tile's row, of which `columns` are left.
static inline void store_columns(float *p, int64_t columns, Vec low, Vec high) {
  if (columns >= NR) {
    store(p, low);
    store(p + WIDTH, high);
    return;
  }
  store_part(p, columns < WIDTH ? columns : WIDTH, low);
  if (columns > WIDTH) store_part(p + WIDTH, columns - WIDTH, high);
}
static inline void add_columns(float *p, int64_t columns, Vec low, Vec high) {
  if (columns >= NR) {
    store(p, add(load(p), low));
    store(p + WIDTH, add(load(p + WIDTH), high));
    return;
  }
  const int64_t n = columns < WIDTH ? columns : WIDTH;
  store_part(p, n, add(load_part(p, n, 0), low));
  if (columns > WIDTH) {
    store_part(p + WIDTH, columns - WIDTH, add(load_part(p + WIDTH, columns - WIDTH, 0), high));
  }
}

// Rows of both sides that are gone through at once, and columns of the right one: what is packed of it stays in the
// second-level cache.
constexpr int64_t DEPTH = 256;
constexpr int64_t ACROSS = 512;
// Floats of scratch memory of add_outer.
constexpr int64_t OUTER_SCRATCH = DEPTH * (ACROSS + MR);

// Rows [from, to) of c += y^T x, where y is [rows, to at least] and x [rows, columns]; c has `columns` columns without a
// gap. Sums go over DEPTH rows at a time, in order.
static inline void add_outer(const float *y, int64_t y_stride, const float *x, int64_t x_stride, int64_t rows,
                             int64_t columns, int64_t from, int64_t to, float *c, float *scratch) {
  float *const strip = scratch, *const panels = scratch + DEPTH * MR;
  for (int64_t across = 0; across < columns; across += ACROSS) {
    const int64_t width = columns - across < ACROSS ? columns - across : ACROSS;
    for (int64_t start = 0; start < rows; start += DEPTH) {
      const int64_t depth = rows - start < DEPTH ? rows - start : DEPTH;
      for (int64_t j = 0; j < width; j += NR) {
        pack_columns(x + start * x_stride + across + j, x_stride, depth, width - j, panels + j * DEPTH);
      }
      for (int64_t i = from; i < to; i += MR) {
        const int m = static_cast<int>(to - i < MR ? to - i : MR);
        for (int64_t t = 0; t < depth; t++) {
          const float *source = y + (start + t) * y_stride + i;
          for (int r = 0; r < m; r++) strip[t * MR + r] = source[r];
        }
        for (int64_t j = 0; j < width; j += NR) {
          block(m, strip, 1, MR, panels + j * DEPTH, NR, depth, [&](int r, Vec low, Vec high) {
            add_columns(c + (i + r) * columns + across + j, width - j, low, high);
          });
        }
      }
    }
  }
}

}  // namespace
