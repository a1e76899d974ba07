// Matrix products of a transformer's layers, forward and backward, in float32 or bfloat16.
//
//   forward          Y [rows, n]  = X [rows, k] W^T      pack_forward(W) once a version, then multiply
//   input gradient   dX [rows, k] = dY [rows, n] W       pack_backward(W), then multiply with n and k changed over; W itself
//                                                         is not needed any more: what is packed for the one is turned
//   weight gradient  dW [n, k]   += dY^T X               accumulate
//
// Operands are float32 or bfloat16, all of one product alike; sums, results' epilogues and weight gradients are float32.
//
// Every element of a result is one chain of fused multiply-adds along the summed dimension, from its first element to
// its last, whatever the number of rows, of threads and whatever the blocking. So a row depends neither on the other
// rows nor on who computes it: a token decoded alone and the same token among a thousand get the same bits. The chain of
// a weight's gradient starts from what the gradient holds: several calls add up to the bits of one (in bfloat16 if all
// but the last have a multiple of 32 rows). In float32 the chain is the same for all variants but the reference; in
// bfloat16 for AVX2, AVX512 and AVX512_BF16 (pairs of elements, the second first) as long as no operand, product or sum
// is denormal, which AVX512_BF16 and AMX flush to zero. AMX sums the even and the odd elements of 32 apart.
//
// All addresses may be unaligned, but packed weights: 64 bytes. Sizes of 0 are fine. Strides are in elements. Results must
// not overlap operands, but where a sink says so.
#pragma once

#include <stdint.h>

#include "../team.h"

namespace hir {

// In the order of preference for float32; reference: sums in double, plain C++.
enum class Variant : int32_t { REFERENCE, AVX2, AVX512, AVX512_BF16, AMX };
constexpr int VARIANTS = 5;

// The order of W's rows, and with it of Y's columns. GATE_UP: W [2 i, k] are i gates, then their i ups; in Y come 16
// gates, the same 16 ups, and so on, the last group filled up: whole cache lines where both are used together.
enum class Order : int32_t { PLAIN, GATE_UP };

// Columns of Y for W of n rows: n, or 2 i rounded up to whole groups. What fills the last group up must be 0 (not merely
// finite) in a Y or dY that is an operand; the sinks write it so.
constexpr int64_t GATE_GROUP = 16;
constexpr int64_t width(Order order, int64_t n) {
  return order == Order::PLAIN ? n : 2 * ((n / 2 + GATE_GROUP - 1) / GATE_GROUP * GATE_GROUP);
}

// The row of W, of n, that is column `column` of Y; negative where it only fills a group up.
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

// What becomes of a sum.
struct Sink {
  enum Kind : int32_t {
    STORE,  // y = sum + bias
    ADD,  // y = residual + sum; y may be the residual
    CONTINUE,  // y (float32) is where the chain starts: y is added to as a weight's gradient is
    GATE,  // of a GATE_UP product: y [rows, i] = silu(gate) up; `factors` are kept if not null
    GATE_BACK,  // of dH = dY W of `down`: y [rows, width(GATE_UP, 2 i)] = gradient of the factors; `activated` [rows, i]
                // = silu(gate) up once more, if not null. y may be the factors.
  };

  Kind kind = STORE;
  int32_t dtype = 0;  // of y and residual: HIR_FLOAT32 or HIR_BFLOAT16; of GATE and GATE_BACK it is the product's
  void *y = nullptr;
  int64_t y_stride = 0;
  const float *bias = nullptr;  // [n]; STORE alone
  const void *residual = nullptr;
  int64_t residual_stride = 0;
  void *factors = nullptr;  // gates and ups, [rows, width(GATE_UP, 2 i)], as rounded to the product's dtype; GATE_BACK reads
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

// The products of one variant and one dtype. Calls that return a bool give false where scratch memory could not be had
// (for this thread); results are then undefined.
class Matmul {
 public:
  // HIR_OK, or HIR_UNSUPPORTED with the reason in hir_last_error().
  static int32_t of(Variant variant, int32_t dtype, Matmul *out);

  // What is best here among the instruction sets that HIR_BASELINE, HIR_AVX2 or HIR_AVX512 stand for. AVX-512 in bfloat16
  // is AMX where there is one, else the faster of bfloat16 products and conversions, which is measured once.
  static int32_t choose(int32_t backend, int32_t dtype, Matmul *out);

  Variant variant() const { return which; }
  const char *name() const;  // "avx512_bf16"
  int32_t dtype() const { return type; }

  // Bytes of packed weights, at a multiple of 64, and the packing.
  int64_t packed_bytes_forward(const Weight &w) const;
  int64_t packed_bytes_backward(const Weight &w) const;
  void pack_forward(const Team &team, const Weight &w, void *packed) const;
  // The panel of Y's columns 32 `panel` to 32 `panel` + 31 alone, from their rows of W in Y's order, [32, k], zeros where
  // none.
  void pack_panel(const Weight &w, int64_t panel, const void *rows, void *packed) const;
  // From what pack_forward has made of W, whose data is not looked at.
  void pack_backward(const Team &team, const Weight &w, const void *forward, void *packed) const;

  bool multiply(const Team &team, const Product &product) const;
  bool accumulate(const Team &team, const Gradient &gradient) const;

  // About what a thread's scratch memory grows to by products of up to `k` summed elements, and weight gradients as wide.
  int64_t scratch_bytes(int64_t k) const;

  // GFLOP/s of the calling thread's multiply-adds with operands in registers: the ceiling of any product.
  double ceiling() const;

  // For operations made of the same pieces.
  const MatmulKernel &pieces() const { return *kernel; }

 private:
  Variant which = Variant::REFERENCE;
  int32_t type = 0;
  const MatmulKernel *kernel = nullptr;
};

const char *name(Variant variant);

}  // namespace hir
