// What a variant of the products implements; matmul.cpp divides them into these pieces.
//
// Packed matrices, the right sides of all products, have one layout for all variants: panels of PANEL columns, each a row
// of steps of STEP elements of the summed dimension, filled up with zeros. A step is [STEP][PANEL] in float32, in bfloat16
// [STEP / 2 pairs][PANEL][2]: rows of PANEL words.
#pragma once

#include "matmul.h"

namespace hir {

constexpr int64_t PANEL = 32;
constexpr int64_t STEP = 32;

// Start of step `step` of a panel of a right side.
struct Right {
  const char *b;
  const char *const *places;
  int64_t offset, step_bytes;

  const char *step(int64_t step) const { return (places ? places[step] : b + step * step_bytes) + offset; }
};

// A block of a product: rows of the left side times the panels [from, to).
struct Job {
  // The left side. A kernel that does not pack reads element (row, i) of the sum at a + row * row_bytes + i * size; for
  // a packed one the kernel defines these.
  const char *a;
  int64_t row_bytes;
  int64_t rows;
  // The right side: panel p begins at b + offset + p * panel_bytes. Or its steps lie anywhere: then `places`, one per
  // step, replaces b.
  const char *b;
  const char *const *places;
  int64_t offset, panel_bytes;
  int64_t from, to;
  int64_t steps;
  // Parts of a long sum follow each other; between them sums are in carry[tile][tile rows][PANEL], with tiles counted
  // panel by panel.
  bool first, last;
  float *carry;
  int64_t row, columns;  // the first row's number in the result, and the columns of it
  const Sink *sink;      // of a product; null for a weight's gradient, which is:
  const Gradient *gradient;

  Right panel(int64_t p, int64_t size) const { return {b, places, offset + p * panel_bytes, STEP * PANEL * size}; }
};

struct MatmulKernel {
  int64_t tile_rows;
  int64_t size;            // bytes of an element
  int64_t left_bytes;      // of one step of one row of the packed left side
  bool always_packs;       // whether the left side of a product must be packed
  int64_t gradient_bytes;  // as left_bytes, of the weight's gradient's left side
  // Before and after a thread's jobs.
  void (*enter)();
  void (*leave)();
  // The left side: `rows` rows of x, `k` elements of each, filled up to `steps` with zeros; rows lie row_bytes apart.
  void (*pack_left)(const void *x, int64_t stride, int64_t rows, int64_t k, int64_t steps, int64_t row_bytes, char *a);
  // The left side of a gradient: `rows` columns of dy over `k` of its rows.
  void (*pack_left_across)(const void *dy, int64_t stride, int64_t rows, int64_t k, int64_t steps, char *a);
  // One step of a panel: w's rows are the columns of the product (across), or w's rows are summed over. `columns` and `k`
  // may be less than PANEL and STEP, even negative.
  void (*pack_across)(const void *w, int64_t stride, int64_t columns, int64_t k, void *step);
  void (*pack_down)(const void *w, int64_t stride, int64_t columns, int64_t k, void *step);
  // Transposes a packed step [STEP][PANEL] into other memory.
  void (*turn)(const void *step, void *turned);
  void (*run)(const Job &job);
  void (*run_gradient)(const Job &job);
  double (*ceiling)();
};

// Position of row `row` of a gradient, counted in the product's order: negative if it is padding of a group.
inline int64_t gradient_row(const Gradient &g, int64_t row) { return stored_row(g.order, g.n, row); }

// [dtype]; null where there is none.
#define HIR_MATMUL_KERNELS(isa) \
  namespace isa { \
  extern const MatmulKernel matmul_kernels[2]; \
  }
HIR_MATMUL_KERNELS(baseline)
HIR_MATMUL_KERNELS(avx2)
HIR_MATMUL_KERNELS(avx512)
HIR_MATMUL_KERNELS(avx512_bf16)
HIR_MATMUL_KERNELS(amx)
HIR_MATMUL_KERNELS(amx_emulated)  // of tests
#undef HIR_MATMUL_KERNELS

}  // namespace hir
