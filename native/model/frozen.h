// Frozen matrices of floats or GGUF blocks, and what an adapter adds to them: W + scale B A.
#pragma once

#include <stdint.h>

#include "hir_kernels.h"

namespace hir {

// hir_matrix with its sizes.
struct Frozen {
  hir_matrix matrix;
  int64_t rows, columns;

  const float *a() const { return reinterpret_cast<const float *>(matrix.a); }
  const float *b() const { return reinterpret_cast<const float *>(matrix.b); }
};

// Values and bytes of a type's block; 0 if there is no such type.
struct BlockSize {
  int64_t values, bytes;
};
constexpr BlockSize block_size(int32_t type) {
  switch (type) {
    case HIR_FLOAT32: return {1, 4};
    case HIR_BFLOAT16:
    case HIR_FLOAT16: return {1, 2};
    case HIR_Q4_0: return {32, 18};
    case HIR_Q8_0: return {32, 34};
    case HIR_Q4_K: return {256, 144};
    case HIR_Q6_K: return {256, 210};
    default: return {0, 0};
  }
}

// The adapters of a fused matrix as one: their ranks concatenated, with B zero where a row does not belong to an
// adapter. Packed for the two thin products of a backward; both include the scale.
struct LowRank {
  struct Part {
    int64_t row, rows, start, rank;  // of the fused matrix, and among the ranks
    float *a_gradient, *b_gradient;  // [rank, k], [rows, rank]
  };

  int64_t rank;  // of all
  void *a;       // [rank, k], for X A^T
  void *b;       // [n, rank], for dY B
  Part parts[3];
  int64_t count;
};

}  // namespace hir
