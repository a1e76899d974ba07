// The program of one layer, forward and backward, over the operations of whatever runs them: layer.h has those of a CPU's
// threads, cuda/pass.cu those of a GPU. What a family does otherwise is said here, once a direction; how tokens see each
// other is the caller's.
//
// `o` has the pitches of rows, the scratch rows `normed` and `activated`, and the operations. Where a product's result
// goes is a sink: stored, added to the residual stream, or through the gate. adapt() adds the gradients of a matrix's
// adapter, accumulate() those of its own weights; either does nothing where there is none.
#pragma once

#include "ops/matmul/matmul.h"

namespace {

// attend() makes a.mixed of a.qkv. `whole` is false for what a backward works from: all but the layer's output.
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

// From the gradient of the layer's output in m.flow and m.low_flow that of its input, in the same place. Writes over
// a.factors. attend_back() makes m.qkv_flow of m.mixed_flow and adds up the head norms' sums.
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
