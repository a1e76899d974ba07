// The operations of a layer's program (program.h) over rows of activations, by the threads of a team. Attention is in
// attention.h (packed sequences) and decode.cpp (pages).
#pragma once

#include "activations.h"
#include "blocks.h"
#include "hir_kernels.h"
#include "program.h"

namespace hir::HIR_ISA {
void frozen_row(const Frozen &, int64_t, int32_t, void *);
}

namespace {

using hir::LayerTable;
using hir::LayerWeights;
using hir::Linear;
using hir::Sink;
using hir::Team;

template <class T>
constexpr int32_t DTYPE = HIR_FLOAT32;
template <>
constexpr int32_t DTYPE<bf16> = HIR_BFLOAT16;

// Runs in all threads of a team; every step ends when all of them are done.
template <class T>
class Layer {
 public:
  // The scratch rows: normed [rows], activated [rows].
  Layer(const hir::Model &model, const Team &team, int64_t rows, T *normed, T *activated, bool *failed)
      : model(model), s(model.shape), team(team), rows(rows), pitches(s), normed(normed), activated(activated),
        failed(failed) {}

  // Last of a layer: the gradients of its two norms' weights.
  void add_norm_sums(const Memory<T> &m, const LayerTable<float *> &g) const {
    if (team.rank == 0) {
      add_norm_sums(m, 0, g.input_norm);
      add_norm_sums(m, 1, g.post_norm);
    }
    team.wait();
  }

  // The sums of a norm's weight's gradient over blocks of rows, in order.
  void add_norm_sums(const Memory<T> &m, int64_t which, float *gradient) const {
    if (!gradient) return;
    for (int64_t block = 0; block < m.blocks; block++) {
      sum_up(gradient, m.norm_sums + (which * m.blocks + block) * pitches.x, s.hidden);
    }
  }

  // A token's row of the embedding, as one of the model's type.
  void embed(int64_t token, int64_t row, float *x) const {
    if (model.embedding.matrix.type == DTYPE<T>) {
      convert(reinterpret_cast<const T *>(model.embedding.matrix.data) + token * s.hidden, s.hidden, x);
    } else {
      hir::HIR_ISA::frozen_row(model.embedding, token, DTYPE<T>, normed + row * pitches.normed);
      convert(normed + row * pitches.normed, s.hidden, x);
    }
  }

  template <class Out>
  void norm(const float *x, const float *weight, Out *out, int64_t out_pitch) const {
    for_rows([&](int64_t row) { rms_norm(x + row * pitches.x, weight, s.hidden, s.norm_epsilon, out + row * out_pitch); });
  }

  // Gradient through a norm: out = onto + the input's gradient, `low` the same as products read it, and the sums of its
  // weight's gradient.
  void norm_back(const Memory<T> &m, int64_t which, const float *x, const float *weight, const float *gradient,
                 const float *onto, float *out, T *low) const {
    team.share(m.blocks, [&](int64_t block) {
      float *const sum = m.norm_sums + (which * m.blocks + block) * pitches.x;
      memset(sum, 0, sizeof(float) * s.hidden);
      const int64_t end = (block + 1) * Memory<T>::ROWS;
      for (int64_t row = block * Memory<T>::ROWS; row < end && row < rows; row++) {
        const int64_t at = row * pitches.x;
        rms_norm_backward(x + at, weight, gradient + at, onto ? onto + at : nullptr, s.hidden, s.norm_epsilon, out + at,
                          sum);
        convert(out + at, s.hidden, low + row * pitches.normed);
      }
    });
  }

  // Logits of normed rows.
  void multiply_head(const T *x, int64_t x_pitch, float *logits, int64_t stride) const {
    multiply(model.head, x, x_pitch, stored(logits, stride, nullptr));
  }

  // work(row)
  template <class Work>
  void for_rows(const Work &work) const {
    constexpr int64_t BLOCK = 16;
    team.share((rows + BLOCK - 1) / BLOCK, [&](int64_t block) {
      for (int64_t row = block * BLOCK; row < (block + 1) * BLOCK && row < rows; row++) work(row);
    });
  }

  static void sum_up(float *sum, const float *x, int64_t n) {
    for (int64_t i = 0; i < n; i++) sum[i] += x[i];
  }

  template <class Y>
  Sink stored(Y *y, int64_t y_pitch, const float *bias) const {
    Sink sink;
    sink.kind = Sink::STORE;
    sink.dtype = DTYPE<Y>;
    sink.y = y;
    sink.y_stride = y_pitch;
    sink.bias = bias;
    return sink;
  }

  // y = x + the product, of rows of the residual stream
  Sink added(const float *x, float *y) const {
    Sink sink = stored(y, pitches.x, nullptr);
    sink.kind = Sink::ADD;
    sink.residual = x;
    sink.residual_stride = pitches.x;
    return sink;
  }

  Sink gated(T *factors) const {
    Sink sink = stored(activated, pitches.intermediate, nullptr);
    sink.kind = Sink::GATE;
    sink.factors = factors;
    sink.factor_stride = pitches.factors;
    return sink;
  }

  Sink gated_back(T *factors) const {
    Sink sink = stored(factors, pitches.factors, nullptr);
    sink.kind = Sink::GATE_BACK;
    sink.factors = factors;
    sink.factor_stride = pitches.factors;
    sink.activated = activated;
    sink.activated_stride = pitches.intermediate;
    return sink;
  }

  void multiply(const Linear &w, const T *x, int64_t x_pitch, const Sink &sink) const {
    // Of gates and ups the result has half the columns.
    const int64_t n = sink.kind == Sink::GATE ? w.weight.n / 2 : w.weight.n;
    check(model.matmul.multiply(team, {rows, n, w.weight.k, x, x_pitch, w.packed, sink}));
  }

  void multiply_back(const Linear &w, const void *packed, const T *dy, int64_t dy_pitch, const Sink &sink) const {
    check(
        model.matmul.multiply(team, {rows, w.weight.k, hir::width(w.weight.order, w.weight.n), dy, dy_pitch, packed, sink}));
  }

  void accumulate(const T *dy, int64_t dy_pitch, int64_t n, const T *x, int64_t x_pitch, int64_t k, float *dw,
                  hir::Order order) const {
    if (dw) check(model.matmul.accumulate(team, {rows, n, k, dy, dy_pitch, x, x_pitch, dw, k, order}));
  }

  // Of W + s B A: dB = s dY^T (X A^T), dA = s (dY B)^T X. For a fused matrix these are the adapters' gradients
  // together, from which each adapter's block is taken.
  void adapt(const Linear &linear, const Memory<T> &m, const T *dy, int64_t dy_pitch, const T *x, int64_t x_pitch) const {
    if (!linear.adapter) return;
    const hir::LowRank &l = *linear.adapter;
    const hir::Weight &w = linear.weight;
    const int64_t pitch = m.rank_pitch;
    check(model.matmul.multiply(team, {rows, l.rank, w.k, x, x_pitch, l.a, stored(m.thin_x, pitch, nullptr)}));
    check(model.matmul.multiply(
        team, {rows, l.rank, hir::width(w.order, w.n), dy, dy_pitch, l.b, stored(m.thin_flow, pitch, nullptr)}));
    team.share(2, [&](int64_t which) {
      memset(which ? m.b_gradient : m.a_gradient, 0, sizeof(float) * l.rank * (which ? w.n : w.k));
    });
    check(model.matmul.accumulate(team, {rows, w.n, l.rank, dy, dy_pitch, m.thin_x, pitch, m.b_gradient, l.rank, w.order}));
    check(model.matmul.accumulate(
        team, {rows, l.rank, w.k, m.thin_flow, pitch, x, x_pitch, m.a_gradient, w.k, hir::Order::PLAIN}));
    team.share(l.count, [&](int64_t i) {
      const hir::LowRank::Part &part = l.parts[i];
      sum_up(part.a_gradient, m.a_gradient + part.start * w.k, part.rank * w.k);
      for (int64_t r = 0; r < part.rows; r++) {
        sum_up(part.b_gradient + r * part.rank, m.b_gradient + (part.row + r) * l.rank + part.start, part.rank);
      }
    });
  }

  void pack_back(const LayerWeights &w, const PackedBack &packed) const {
    model.matmul.pack_backward(team, w.qkv.weight, w.qkv.packed, packed.qkv);
    model.matmul.pack_backward(team, w.output.weight, w.output.packed, packed.output);
    model.matmul.pack_backward(team, w.gate_up.weight, w.gate_up.packed, packed.gate_up);
    model.matmul.pack_backward(team, w.down.weight, w.down.packed, packed.down);
  }

  // sum += all rows, in order: threads take columns each.
  void add_rows(const T *x, int64_t x_pitch, int64_t columns, float *sum) const {
    const int64_t from = columns * team.rank / team.size, to = columns * (team.rank + 1) / team.size;
    for (int64_t row = 0; row < rows; row++) {
      for (int64_t c = from; c < to; c++) sum[c] += hir::to_float(x[row * x_pitch + c]);
    }
  }

  const hir::Model &model;
  const ModelShape &s;
  const Team team;
  const int64_t rows;
  const Pitches<T> pitches;
  T *const normed, *const activated;

 private:
  void check(bool done) const {
    if (!done) __atomic_store_n(failed, true, __ATOMIC_RELAXED);
  }

  bool *const failed;
};

}  // namespace
