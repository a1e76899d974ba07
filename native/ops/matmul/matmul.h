// Matrix products of a transformer's layers, forward and backward, in float32 or bfloat16.
//
//   forward          Y [rows, n]  = X [rows, k] W^T      pack_forward(W) after each change of W, then multiply
//   input gradient   dX [rows, k] = dY [rows, n] W       pack_backward turns what pack_forward made of W (W itself is
//                                                         not read), then multiply with n and k exchanged
//   weight gradient  dW [n, k]   += dY^T X               accumulate
//
// All operands of a product are float32, or all are bfloat16; sums, epilogues and weight gradients are float32.
//
// Every element of a result is one chain of fused multiply-adds along the summed dimension, from the first element to
// the last, whatever the number of rows and threads and the blocking. So a row depends neither on other rows nor on the
// thread that computes it: a token decoded alone gets the same bits as among a thousand. The chain of a weight gradient
// starts from what the gradient holds, so several calls give the bits of one (in bfloat16, if all but the last have a
// multiple of 32 rows). In float32 all variants but the reference have the same chain. In bfloat16 AVX2, AVX512 and
// AVX512_BF16 do (pairs of elements, the second first), unless an operand, product or sum is denormal: AVX512_BF16 and
// AMX flush those to zero. AMX sums even and odd elements of each 32 apart.
//
// Packed weights are aligned to 64 bytes; other addresses need no alignment. Sizes may be 0. Strides are in elements.
// Results must not overlap operands unless the sink allows it.
#pragma once

#include <stdint.h>

#include "../team.h"

namespace hir {

// REFERENCE is plain C++ that sums in double; AVX512_BF16 and AMX are for bfloat16 only.
enum class Variant : int32_t { REFERENCE, AVX2, AVX512, AVX512_BF16, AMX };
constexpr int VARIANTS = 5;

// The order of W's rows, and so of Y's columns. GATE_UP: W [2 i, k] has i gates, then their i ups. Y has 16 gates,
// their 16 ups, and so on, with the last group padded: gates and ups that are used together are then whole cache lines.
enum class Order : int32_t { PLAIN, GATE_UP };

// Columns of Y for W of n rows: n, or 2 i rounded up to whole groups. The padding must be 0, not merely finite, in a Y
// or dY that is an operand; sinks write zeros.
constexpr int64_t GATE_GROUP = 16;
constexpr int64_t width(Order order, int64_t n) {
  return order == Order::PLAIN ? n : 2 * ((n / 2 + GATE_GROUP - 1) / GATE_GROUP * GATE_GROUP);
}

// The row of W, of n, for column `column` of Y; negative for padding.
constexpr int64_t stored_row(Order order, int64_t n, int64_t column) {
  if (order == Order::PLAIN) return column;
  const int64_t half = n / 2, within = column / (2 * GATE_GROUP) * GATE_GROUP + column % GATE_GROUP;
  if (within >= half) return -1;
  return column % (2 * GATE_GROUP) < GATE_GROUP ? within : half + within;
}

// W [n, k], rows `stride` elements apart.
struct Weight {
  const void *data;
  int64_t n, k, stride;
  Order order;
};

// What happens to a sum.
struct Sink {
  enum Kind : int32_t {
    STORE,  // y = sum + bias
    ADD,  // y = residual + sum; y may be the residual
    CONTINUE,  // the chain starts from y (float32), as for a weight gradient
    GATE,  // for a GATE_UP product: y [rows, i] = silu(gate) up; `factors` are written if not null
    GATE_BACK,  // for dH = dY W of `down`: y [rows, width(GATE_UP, 2 i)] = gradient of the factors; `activated` [rows, i] =
                // silu(gate) up again, if not null. y may be the factors.
  };

  Kind kind = STORE;
  int32_t dtype = 0;  // of y and residual: HIR_FLOAT32 or HIR_BFLOAT16; for GATE and GATE_BACK the product's
  void *y = nullptr;
  int64_t y_stride = 0;
  const float *bias = nullptr;  // [n]; for STORE only
  const void *residual = nullptr;
  int64_t residual_stride = 0;
  void *factors = nullptr;  // gates and ups, [rows, width(GATE_UP, 2 i)], of the product's dtype; GATE_BACK reads them
  int64_t factor_stride = 0;
  void *activated = nullptr;
  int64_t activated_stride = 0;
};

// X times packed weights. Forward: n = width(order, W.n), k = W.k; back: n = W.k, k = width(order, W.n).
struct Product {
  int64_t rows, n, k;
  const void *x;
  int64_t x_stride;
  const void *packed;
  Sink sink;
};

// dW [n, k] += dY^T X over `rows` rows; dY has width(order, n) columns, dW the rows of W in W's order.
struct Gradient {
  int64_t rows, n, k;
  const void *dy;
  int64_t dy_stride;
  const void *x;
  int64_t x_stride;
  float *dw;
  int64_t dw_stride;
  Order order;
};

struct MatmulKernel;

// The products of one variant in one dtype. A call that returns false ran out of scratch memory on this thread; its
// results are undefined.
class Matmul {
 public:
  // HIR_OK, or HIR_UNSUPPORTED with the reason in hir_last_error().
  static int32_t of(Variant variant, int32_t dtype, Matmul *out);

  // Chooses the best variant here within a backend's instruction sets. In bfloat16 HIR_AVX512 takes AMX if the machine
  // has it, else the faster of AVX512_BF16 and AVX512, which is measured once.
  static int32_t choose(int32_t backend, int32_t dtype, Matmul *out);

  Variant variant() const { return which; }
  const char *name() const;  // "avx512_bf16"
  int32_t dtype() const { return type; }

  // Bytes of packed weights, whose address is a multiple of 64, and the packing.
  int64_t packed_bytes_forward(const Weight &w) const;
  int64_t packed_bytes_backward(const Weight &w) const;
  void pack_forward(const Team &team, const Weight &w, void *packed) const;
  // Packs one panel, columns 32 `panel` to 32 `panel` + 31 of Y, from their rows of W [32, k], in Y's order and 0 for
  // padding.
  void pack_panel(const Weight &w, int64_t panel, const void *rows, void *packed) const;
  // Packs from what pack_forward made of W; w.data is not read.
  void pack_backward(const Team &team, const Weight &w, const void *forward, void *packed) const;

  bool multiply(const Team &team, const Product &product) const;
  bool accumulate(const Team &team, const Gradient &gradient) const;

  // Approximate scratch memory per thread, after products with sums of up to `k` elements and weight gradients as wide.
  int64_t scratch_bytes(int64_t k) const;

  // Measures the calling thread's multiply-adds with operands in registers, in GFLOP/s: the ceiling of any product.
  double ceiling() const;

  // For other operations that are built from the same pieces.
  const MatmulKernel &pieces() const { return *kernel; }

 private:
  Variant which = Variant::REFERENCE;
  int32_t type = 0;
  const MatmulKernel *kernel = nullptr;
};

const char *name(Variant variant);

}  // namespace hir
