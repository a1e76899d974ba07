// What is done with a finished tile, in terms of vec.h: see Sink.
#pragma once

#include "blocks.h"
#include "hir_kernels.h"
#include "kernel.h"
#include "pack.h"

namespace {

using hir::GATE_GROUP;
using hir::Sink;

template <class T>
static inline void store_first(T *p, int64_t n, Vec x) {
  if (n >= WIDTH) {
    store(p, x);
  } else if (n > 0) {
    store_part(p, n, x);
  }
}

static inline Vec rounded_to(float, Vec x) { return x; }
static inline Vec rounded_to(bf16, Vec x) {
  bf16 lanes[WIDTH];
  store(lanes, x);
  return load(lanes);
}

template <class T>
static inline void finish_plain(const Sink &sink, const float *sums, int64_t row, int64_t column, int64_t n) {
  T *const y = static_cast<T *>(sink.y) + row * sink.y_stride + column;
  for (int64_t i = 0; i < PANEL && column + i < n; i += WIDTH) {
    const int64_t left = n - column - i;
    Vec sum = load(sums + i);
    if (sink.kind == Sink::ADD) {
      sum = add(load_first(static_cast<const T *>(sink.residual) + row * sink.residual_stride + column + i, left), sum);
    } else if (sink.bias) {
      sum = add(sum, load_first(sink.bias + column + i, left));
    }
    store_first(y + i, left, sum);
  }
}

template <class T>
static inline void finish_gate(const Sink &sink, const float *sums, int64_t row, int64_t group, int64_t n) {
  const int64_t column = group * GATE_GROUP;
  T *const y = static_cast<T *>(sink.y) + row * sink.y_stride + column;
  T *const factors = sink.factors ? static_cast<T *>(sink.factors) + row * sink.factor_stride + 2 * column : nullptr;
  for (int64_t i = 0; i < GATE_GROUP; i += WIDTH) {
    // The kept values are the ones used: the backward pass sees the same factors.
    const Vec gate = rounded_to(T(), load(sums + i)), up = rounded_to(T(), load(sums + GATE_GROUP + i));
    store_first(y + i, n - column - i, mul(mul(gate, sigmoid(gate)), up));
    if (factors) {
      store(factors + i, gate);
      store(factors + GATE_GROUP + i, up);
    }
  }
}

template <class T>
static inline void finish_gate_back(const Sink &sink, const float *sums, int64_t row, int64_t column, int64_t n) {
  const T *const factors = static_cast<const T *>(sink.factors) + row * sink.factor_stride + 2 * column;
  T *const y = static_cast<T *>(sink.y) + row * sink.y_stride + 2 * column;
  T *const activated = sink.activated ? static_cast<T *>(sink.activated) + row * sink.activated_stride + column : nullptr;
  for (int64_t i = 0; i < PANEL; i += WIDTH) {
    const int64_t group = i / GATE_GROUP * GATE_GROUP;
    if (column + group >= n) return;
    const int64_t at = group + i;  // 16 gates, 16 ups
    const Vec gradient = load(sums + i), gate = load(factors + at), up = load(factors + at + GATE_GROUP);
    const Vec share = sigmoid(gate), active = mul(gate, share);
    // d silu = share (1 + gate (1 - share))
    const Vec slope = add(sub(share, mul(active, share)), active);
    store(y + at, mul(mul(gradient, up), slope));
    store(y + at + GATE_GROUP, mul(gradient, active));
    if (activated) store_first(activated + i, n - column - i, mul(active, up));
  }
}

// `rows` rows of [PANEL] sums, those of the panel; T is the product's type.
template <class T>
static inline void finish(const Sink &sink, const float *sums, int64_t row, int64_t rows, int64_t panel, int64_t n) {
  if (sink.kind == Sink::STORE && sink.dtype == HIR_FLOAT32 && !sink.bias && (panel + 1) * PANEL <= n) {
    float *y = static_cast<float *>(sink.y) + row * sink.y_stride + panel * PANEL;
    for (int64_t r = 0; r < rows; r++, sums += PANEL, y += sink.y_stride) {
      for (int64_t i = 0; i < PANEL; i += WIDTH) store(y + i, load(sums + i));
    }
    return;
  }
  for (int64_t r = 0; r < rows; r++, sums += PANEL) {
    switch (sink.kind) {
      case Sink::GATE: finish_gate<T>(sink, sums, row + r, panel, n); break;
      case Sink::GATE_BACK: finish_gate_back<T>(sink, sums, row + r, panel * PANEL, n); break;
      default:
        if (sink.dtype == HIR_BFLOAT16) {
          finish_plain<bf16>(sink, sums, row + r, panel * PANEL, n);
        } else {
          finish_plain<float>(sink, sums, row + r, panel * PANEL, n);
        }
    }
  }
}

// The start of the chain of a tile's row, for a sink that adds to existing values.
static inline void start_from(const Sink &sink, int64_t row, int64_t panel, int64_t n, float *sums) {
  const float *const y = static_cast<const float *>(sink.y) + row * sink.y_stride + panel * PANEL;
  for (int64_t i = 0; i < PANEL; i += WIDTH) store(sums + i, load_first(y + i, n - panel * PANEL - i));
}

// Rows of a weight's gradient, into a tile and back.
static inline void load_gradient(const hir::Gradient &g, int64_t row, int64_t rows, int64_t panel, float *sums) {
  for (int64_t r = 0; r < rows; r++, sums += PANEL) {
    const int64_t at = hir::gradient_row(g, row + r), left = g.k - panel * PANEL;
    for (int64_t i = 0; i < PANEL; i += WIDTH) {
      store(sums + i, load_first(g.dw + at * g.dw_stride + panel * PANEL + i, at < 0 ? 0 : left - i));
    }
  }
}
// Prefetches the rows of the next tile.
static inline void fetch_gradient(const hir::Gradient &g, int64_t row, int64_t rows, int64_t panel) {
  for (int64_t r = 0; r < rows; r++) {
    const int64_t at = hir::gradient_row(g, row + r);
    if (at < 0) continue;
    const float *const p = g.dw + at * g.dw_stride + panel * PANEL;
    __builtin_prefetch(p, 1);
    __builtin_prefetch(p + PANEL / 2, 1);
  }
}
static inline void store_gradient(const hir::Gradient &g, int64_t row, int64_t rows, int64_t panel, const float *sums) {
  for (int64_t r = 0; r < rows; r++, sums += PANEL) {
    const int64_t at = hir::gradient_row(g, row + r), left = g.k - panel * PANEL;
    for (int64_t i = 0; i < PANEL; i += WIDTH) {
      store_first(g.dw + at * g.dw_stride + panel * PANEL + i, at < 0 ? 0 : left - i, load(sums + i));
    }
  }
}

}  // namespace
