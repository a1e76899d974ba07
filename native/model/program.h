// The program of one layer, forward and backward, in terms of operations that layer.h provides for a CPU's threads and
// cuda/model.cu for a GPU. Differences between model families are here, once for each direction; the caller defines
// which tokens attend to which.
//
// `o` has the pitches of rows, the scratch rows `normed` and `activated`, and the operations. A sink takes a product's
// result: it is stored, added to the residual stream, or passed through the gate. adapt() adds the gradients of a
// matrix's adapter, accumulate() those of its weights; each does nothing if there is none.
#pragma once

#include "ops/matmul/matmul.h"

namespace {

// attend() computes a.mixed from a.qkv. `whole` is false to compute only what a backward needs: everything but the
// layer's output.
template <class Ops, class Weights, class Activations, class Attend>
void layer_forward(const Ops &o, const Weights &w, const Activations &a, const Attend &attend, bool whole) {
  o.norm(a.x, w.input_norm, o.normed, o.pitches.normed);
  o.multiply(w.qkv, o.normed, o.pitches.normed, o.stored(a.qkv, o.pitches.qkv, w.qkv_bias));
  attend();
  o.multiply(w.output, a.mixed, o.pitches.query, o.added(a.x, a.mid));
  o.norm(a.mid, w.post_norm, o.normed, o.pitches.normed);
  o.multiply(w.gate_up, o.normed, o.pitches.normed, o.gated(a.factors));
  if (whole) o.multiply(w.down, o.activated, o.pitches.intermediate, o.added(a.mid, a.out));
}

// Replaces the gradient of the layer's output in m.flow and m.low_flow by that of its input. Overwrites a.factors.
// attend_back() computes m.qkv_flow from m.mixed_flow and the head norms' sums.
template <class Ops, class Weights, class Activations, class Gradients, class Memory, class AttendBack>
void layer_backward(const Ops &o, const Weights &w, const Activations &a, const Gradients &g, const Memory &m,
                    const AttendBack &attend_back) {
  const auto &p = o.pitches;
  const int64_t q = o.s.query_size(), k = o.s.qkv_size(), d = o.s.hidden, i = o.s.intermediate;
  const hir::Order gates = hir::Order::GATE_UP, plain = hir::Order::PLAIN;
  o.pack_back(w, m.packed);

  o.multiply_back(w.down, m.packed.down, m.low_flow, p.normed, o.gated_back(a.factors));
  o.accumulate(m.low_flow, p.normed, d, o.activated, p.intermediate, i, g.down, plain);
  o.adapt(w.down, m, m.low_flow, p.normed, o.activated, p.intermediate);
  o.norm(a.mid, w.post_norm, o.normed, p.normed);
  o.accumulate(a.factors, p.factors, 2 * i, o.normed, p.normed, d, g.gate_up, gates);
  o.adapt(w.gate_up, m, a.factors, p.factors, o.normed, p.normed);
  o.multiply_back(w.gate_up, m.packed.gate_up, a.factors, p.factors, o.stored(m.normed_flow, p.x, nullptr));
  o.norm_back(m, 1, a.mid, w.post_norm, m.normed_flow, m.flow, m.mid_flow, m.low_mid_flow);

  o.multiply_back(w.output, m.packed.output, m.low_mid_flow, p.normed, o.stored(m.mixed_flow, p.query, nullptr));
  o.accumulate(m.low_mid_flow, p.normed, d, a.mixed, p.query, q, g.output, plain);
  o.adapt(w.output, m, m.low_mid_flow, p.normed, a.mixed, p.query);
  attend_back();
  o.norm(a.x, w.input_norm, o.normed, p.normed);
  o.accumulate(m.qkv_flow, p.qkv, k, o.normed, p.normed, d, g.qkv, plain);
  o.adapt(w.qkv, m, m.qkv_flow, p.qkv, o.normed, p.normed);
  o.multiply_back(w.qkv, m.packed.qkv, m.qkv_flow, p.qkv, o.stored(m.normed_flow, p.x, nullptr));
  o.norm_back(m, 0, a.x, w.input_norm, m.normed_flow, m.mid_flow, m.flow, m.low_flow);

  if (g.qkv_bias) o.add_rows(m.qkv_flow, p.qkv, k, g.qkv_bias);
  o.add_norm_sums(m, g);
}

}  // namespace
