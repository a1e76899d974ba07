// The products in plain C++, sums in double: the reference for all others, used without vector instructions. A sum is
// rounded to float32 at its end (and at interruptions: a weight's gradient between two calls).
#include <math.h>
#include <string.h>

#include "bf16.h"
#include "hir_kernels.h"
#include "kernel.h"

namespace {

using hir::bf16;
using hir::GATE_GROUP;
using hir::Job;
using hir::PANEL;
using hir::Sink;
using hir::STEP;
using hir::to_float;

void nothing() {}

// Position of element (k, column) of a step.
template <class E>
int64_t place(int64_t k, int64_t column) {
  return sizeof(E) == sizeof(float) ? k * PANEL + column : k / 2 * 2 * PANEL + 2 * column + k % 2;
}

template <class E>
void pack_across(const void *w, int64_t stride, int64_t columns, int64_t k, void *step) {
  for (int64_t c = 0; c < PANEL; c++) {
    for (int64_t i = 0; i < STEP; i++) {
      static_cast<E *>(step)[place<E>(i, c)] = c < columns && i < k ? static_cast<const E *>(w)[c * stride + i] : E{};
    }
  }
}

template <class E>
void pack_down(const void *w, int64_t stride, int64_t columns, int64_t k, void *step) {
  for (int64_t i = 0; i < STEP; i++) {
    for (int64_t c = 0; c < PANEL; c++) {
      static_cast<E *>(step)[place<E>(i, c)] = c < columns && i < k ? static_cast<const E *>(w)[i * stride + c] : E{};
    }
  }
}

template <class E>
void turn(const void *step, void *turned) {
  for (int64_t i = 0; i < STEP; i++) {
    for (int64_t c = 0; c < PANEL; c++) {
      static_cast<E *>(turned)[place<E>(c, i)] = static_cast<const E *>(step)[place<E>(i, c)];
    }
  }
}

// Rows of floats.
template <class E>
void pack_left(const void *x, int64_t stride, int64_t rows, int64_t k, int64_t steps, int64_t row_bytes, char *a) {
  for (int64_t r = 0; r < rows; r++) {
    float *const to = reinterpret_cast<float *>(a + r * row_bytes);
    for (int64_t i = 0; i < steps * STEP; i++) to[i] = i < k ? to_float(static_cast<const E *>(x)[r * stride + i]) : 0;
  }
}
template <class E>
void pack_left_across(const void *dy, int64_t stride, int64_t rows, int64_t k, int64_t steps, char *a) {
  for (int64_t r = 0; r < rows; r++) {
    float *const to = reinterpret_cast<float *>(a) + r * steps * STEP;
    for (int64_t i = 0; i < steps * STEP; i++) to[i] = i < k ? to_float(static_cast<const E *>(dy)[i * stride + r]) : 0;
  }
}

template <class E>
void add_products(const float *a, const hir::Right &b, int64_t steps, double *sums) {
  for (int64_t i = 0; i < steps * STEP; i++) {
    const E *const step = reinterpret_cast<const E *>(b.step(i / STEP));
    for (int64_t c = 0; c < PANEL; c++) sums[c] += static_cast<double>(a[i]) * to_float(step[place<E>(i % STEP, c)]);
  }
}

template <class T>
float rounded(double x) {
  T out;
  hir::from_float(static_cast<float>(x), &out);
  return to_float(out);
}

template <class T>
void put(void *p, int64_t at, double x) {
  hir::from_float(static_cast<float>(x), static_cast<T *>(p) + at);
}

template <class T>
void finish_plain(const Sink &s, const double *sums, int64_t row, int64_t column, int64_t n) {
  for (int64_t c = 0; c < PANEL && column + c < n; c++) {
    double sum = static_cast<float>(sums[c]);
    if (s.kind == Sink::ADD) {
      sum += to_float(static_cast<const T *>(s.residual)[row * s.residual_stride + column + c]);
    } else if (s.bias) {
      sum += s.bias[column + c];
    }
    put<T>(s.y, row * s.y_stride + column + c, sum);
  }
}

double sigmoid(double x) { return 1 / (1 + exp(-x)); }

template <class T>
void finish(const Sink &s, const double *sums, int64_t row, int64_t panel, int64_t n) {
  if (s.kind == Sink::GATE) {
    const int64_t column = panel * GATE_GROUP;
    for (int64_t c = 0; c < GATE_GROUP; c++) {
      const double gate = rounded<T>(sums[c]), up = rounded<T>(sums[GATE_GROUP + c]);
      if (column + c < n) put<T>(s.y, row * s.y_stride + column + c, gate * sigmoid(gate) * up);
      if (!s.factors) continue;
      put<T>(s.factors, row * s.factor_stride + 2 * column + c, gate);
      put<T>(s.factors, row * s.factor_stride + 2 * column + GATE_GROUP + c, up);
    }
  } else if (s.kind == Sink::GATE_BACK) {
    for (int64_t c = 0; c < PANEL; c++) {
      const int64_t column = panel * PANEL + c, group = column / GATE_GROUP * GATE_GROUP;
      if (group >= n) return;
      const int64_t at = row * s.factor_stride + group + column, to = row * s.y_stride + group + column;
      const double gate = to_float(static_cast<const T *>(s.factors)[at]);
      const double up = to_float(static_cast<const T *>(s.factors)[at + GATE_GROUP]);
      const double share = sigmoid(gate);
      put<T>(s.y, to, sums[c] * up * share * (1 + gate * (1 - share)));
      put<T>(s.y, to + GATE_GROUP, sums[c] * gate * share);
      if (s.activated && column < n) put<T>(s.activated, row * s.activated_stride + column, gate * share * up);
    }
  } else if (s.dtype == HIR_BFLOAT16) {
    finish_plain<bf16>(s, sums, row, panel * PANEL, n);
  } else {
    finish_plain<float>(s, sums, row, panel * PANEL, n);
  }
}

template <class E>
void run(const Job &job) {
  float *carry = job.carry;
  for (int64_t p = job.from; p < job.to; p++) {
    for (int64_t r = 0; r < job.rows; r++) {
      double sums[PANEL] = {};
      const int64_t left = job.columns - p * PANEL;
      if (!job.first) {
        for (int64_t c = 0; c < PANEL; c++) sums[c] = carry[c];
      } else if (job.sink->kind == Sink::CONTINUE) {
        const float *const y = static_cast<const float *>(job.sink->y) + (job.row + r) * job.sink->y_stride + p * PANEL;
        for (int64_t c = 0; c < PANEL && c < left; c++) sums[c] = y[c];
      }
      add_products<E>(reinterpret_cast<const float *>(job.a + r * job.row_bytes), job.panel(p, sizeof(E)), job.steps, sums);
      if (job.last) {
        finish<E>(*job.sink, sums, job.row + r, p, job.columns);
      } else {
        for (int64_t c = 0; c < PANEL; c++) carry[c] = static_cast<float>(sums[c]);
      }
      if (carry) carry += PANEL;
    }
  }
}

template <class E>
void run_gradient(const Job &job) {
  const hir::Gradient &g = *job.gradient;
  for (int64_t p = job.from; p < job.to; p++) {
    for (int64_t r = 0; r < job.rows; r++) {
      const int64_t row = hir::gradient_row(g, job.row + r);
      if (row < 0) continue;
      double sums[PANEL] = {};
      add_products<E>(reinterpret_cast<const float *>(job.a) + r * job.steps * STEP, job.panel(p, sizeof(E)), job.steps,
                      sums);
      float *const dw = g.dw + row * g.dw_stride + p * PANEL;
      for (int64_t c = 0; c < PANEL && p * PANEL + c < g.k; c++) dw[c] = static_cast<float>(dw[c] + sums[c]);
    }
  }
}

// No ceiling is compared with the reference.
double ceiling() { return 0; }

}  // namespace

namespace hir::HIR_ISA {

#define HIR_KERNEL(E) \
  {1, \
   sizeof(E), \
   STEP * 4, \
   true, \
   STEP * 4, \
   nothing, \
   nothing, \
   pack_left<E>, \
   pack_left_across<E>, \
   pack_across<E>, \
   pack_down<E>, \
   turn<E>, \
   run<E>, \
   run_gradient<E>, \
   ceiling}
extern const MatmulKernel matmul_kernels[2] = {HIR_KERNEL(float), HIR_KERNEL(bf16)};
#undef HIR_KERNEL

}  // namespace hir::HIR_ISA
