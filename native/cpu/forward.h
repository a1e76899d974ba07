// A layer's forward, which its backward may run again.
#pragma once

#include <omp.h>

#include "attention.h"

namespace {

// Runs in all threads of a parallel region; every step ends with all of them done.
class Forward {
 public:
  Forward(const hir::Pass &pass, const Memory &memory)
      : model(*pass.model), batch(*pass.batch), s(model.shape), memory(memory), st(memory.strides),
        own(memory.own(omp_get_thread_num())) {}

  void run(float *hidden) {
    for_blocks([&](int64_t from, int64_t to) {
      embed(from, to);
      project(0, memory.layer(0, false), from, to);
    });
    for (int64_t i = 0; i < s.layers; i++) {
      const Activations a = memory.layer(i, false);
      attend(i, a);
      for_blocks([&](int64_t from, int64_t to) {
        mix_in(i, a, from, to);
        transform(i, a, from, to);
        if (i + 1 < s.layers) {
          project(i + 1, memory.layer(i + 1, false), from, to);
        } else {
          for (int64_t row = from; row < to; row++) {
            rms_norm(a.out + row * st.x, model.final_norm, s.hidden, s.norm_epsilon, hidden + row * s.hidden);
          }
        }
      });
    }
  }

  // What a layer keeps, once more from its input.
  void again(int64_t index, const Activations &a) {
    for_blocks([&](int64_t from, int64_t to) { project(index, a, from, to); });
    attend(index, a);
    for_blocks([&](int64_t from, int64_t to) {
      mix_in(index, a, from, to);
      expand(index, a, from, to);
    });
  }

  template <class Work>
  void for_blocks(const Work &work) const {
#pragma omp for schedule(dynamic)
    for (int64_t block = 0; block < memory.blocks; block++) {
      const int64_t end = (block + 1) * ROWS;
      work(block * ROWS, end < memory.tokens ? end : memory.tokens);
    }
  }

  // work(group, key-value head, number)
  template <class Work>
  void for_heads(const Work &work) const {
#pragma omp for schedule(dynamic)
    for (int64_t unit = 0; unit < batch.group_count * s.kv_heads; unit++) {
      work(batch.groups[unit / s.kv_heads], unit % s.kv_heads, unit);
    }
  }

  // sink(row, column, low, high) of x W^T for rows [from, to), where `start` points at row `from`.
  template <class Sink>
  static void product(const float *start, int64_t stride, const hir::Packed &w, int64_t width, int64_t from, int64_t to,
                      const Sink &sink) {
    const int64_t panels = width == NR ? (w.out + NR - 1) / NR : (w.out / 2 + width - 1) / width;
    gemm(start, stride, 0, to - from, static_cast<const float *>(w.data), w.in, 0, panels,
         [&sink, width, from](int64_t row, int64_t panel, Vec low, Vec high) {
           sink(from + row, panel * width, low, high);
         });
  }

  void norm_rows(const float *x, const float *weight, int64_t from, int64_t to, float *out) const {
    for (int64_t row = from; row < to; row++) {
      rms_norm(x + row * st.x, weight, s.hidden, s.norm_epsilon, out + (row - from) * st.x);
    }
  }

 private:
  void embed(int64_t from, int64_t to) {
    float *const x = memory.layer(0, false).x;
    for (int64_t row = from; row < to; row++) {
      memcpy(x + row * st.x, model.embedding + batch.ids[row] * s.hidden, sizeof(float) * s.hidden);
    }
  }

  // Queries, keys and values.
  void project(int64_t index, const Activations &a, int64_t from, int64_t to) {
    const TransformerLayer &w = model.layers[index];
    norm_rows(a.x, w.input_norm, from, to, own.normed);
    product(own.normed, st.x, w.qkv.forth, NR, from, to, [&](int64_t row, int64_t column, Vec low, Vec high) {
      float *const out = a.qkv + row * st.qkv + column;
      store(out, low);
      store(out + WIDTH, high);
    });
    if (!w.qkv_bias) return;
    for (int64_t row = from; row < to; row++) {
      float *const out = a.qkv + row * st.qkv;
      for (int64_t i = 0; i < s.qkv_size(); i++) out[i] += w.qkv_bias[i];
    }
  }

  void attend(int64_t index, const Activations &a) {
    for_heads([&](const Group &group, int64_t head, int64_t) {
      Attention(model, model.layers[index], memory, a, own, group, head).forward();
    });
  }

  // mid = x + attention's output
  void mix_in(int64_t index, const Activations &a, int64_t from, int64_t to) {
    add_product(a.x, a.mixed + from * st.query, st.query, model.layers[index].output.forth, from, to, a.mid);
  }

  // Gates and ups; what goes into the product behind them stays in own.activated.
  void expand(int64_t index, const Activations &a, int64_t from, int64_t to) {
    const TransformerLayer &w = model.layers[index];
    norm_rows(a.mid, w.post_norm, from, to, own.normed);
    product(own.normed, st.x, w.gate_up.forth, WIDTH, from, to, [&](int64_t row, int64_t column, Vec gate, Vec up) {
      store(own.activated + (row - from) * st.intermediate + column, mul(silu(gate), up));
      if (a.gate_up) {
        float *const kept = a.gate_up + row * st.gate_up + column;
        store_some(kept, s.intermediate - column, gate);
        store_some(kept + s.intermediate, s.intermediate - column, up);
      }
    });
  }

  void transform(int64_t index, const Activations &a, int64_t from, int64_t to) {
    expand(index, a, from, to);
    add_product(a.mid, own.activated, st.intermediate, model.layers[index].down.forth, from, to, a.out);
  }

  // out = x + input times w, for rows of x's width
  void add_product(const float *x, const float *input, int64_t stride, const hir::Packed &w, int64_t from, int64_t to,
                   float *out) {
    product(input, stride, w, NR, from, to, [&](int64_t row, int64_t column, Vec low, Vec high) {
      const float *const old = x + row * st.x + column;
      float *const sum = out + row * st.x + column;
      store(sum, add(load(old), low));
      store(sum + WIDTH, add(load(old + WIDTH), high));
    });
  }

  const Transformer &model;
  const Batch &batch;
  const DecoderShape &s;
  const Memory &memory;
  const Strides &st;

 public:
  const Own own;
};

}  // namespace
