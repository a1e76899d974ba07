// Causal attention of one group of segments and one key-value head, forward and backward. The head's keys and values
// are laid out for the tiles of gemm.h once: "across" means panels of NR tokens, [tokens / NR][head_dim][NR]; the others
// are panels of NR columns, [head_dim / NR][slots][NR]. A token's slot is its position.
#pragma once

#include <string.h>

#include "activations.h"
#include "blocks.h"

namespace {

using hir::Group;
using hir::Segment;
using hir::Transformer;
using hir::TransformerLayer;

static inline void pack_head(const float *x, int64_t dim, int64_t slots, int64_t slot, float *panels) {
  for (int64_t d = 0; d < dim; d += NR) {
    memcpy(panels + d * slots + slot * NR, x + d, sizeof(float) * (dim - d < NR ? dim - d : NR));
  }
}

static inline void pack_across(const float *x, int64_t dim, int64_t slot, float *panels) {
  float *out = panels + slot / NR * dim * NR + slot % NR;
  for (int64_t d = 0; d < dim; d++) out[d * NR] = x[d];
}

class Attention {
 public:
  Attention(const Transformer &model, const TransformerLayer &w, const Memory &memory, const Activations &a,
            const Own &own, const Group &group, int64_t head)
      : model(model), s(model.shape), w(w), st(memory.strides), a(a), own(own), group(group), head(head),
        dim(s.head_dim), share(s.heads / s.kv_heads) {}

  void forward() {
    for (int64_t i = 0; i < group.count; i++) {
      const Segment &segment = group.segments[i];
      load_keys(segment, false);
      for (int64_t q = head * share; q < (head + 1) * share; q++) {
        for (int64_t t = 0; t < segment.length; t += MR) attend(segment, q, t);
      }
    }
  }

  // From the gradient of attention's output, that of queries, keys and values before norm and rotation; adds those of
  // the query and key norms to [2][head].
  void backward(const float *mixed_flow, float *qkv_flow, float *norms) {
    memset(own.key_gradients, 0, sizeof(float) * st.slots * st.head);
    memset(own.value_gradients, 0, sizeof(float) * st.slots * st.head);
    memset(norms, 0, sizeof(float) * 2 * st.head);
    for (int64_t i = 0; i < group.count; i++) {
      const Segment &segment = group.segments[i];
      load_keys(segment, true);
      for (int64_t q = head * share; q < (head + 1) * share; q++) {
        for (int64_t t = 0; t < segment.length; t += QUERIES) {
          differentiate(segment, q, t, mixed_flow, qkv_flow, norms);
        }
      }
      if (i > 0) finish_keys(segment, qkv_flow, norms);
    }
    finish_keys(group.segments[0], qkv_flow, norms);
  }

 private:
  const float *cosines(int64_t position) const { return model.cosines + position * (dim / 2); }
  const float *sines(int64_t position) const { return model.sines + position * (dim / 2); }
  int64_t key_column() const { return s.query_size() + head * dim; }
  int64_t value_column() const { return key_column() + s.key_size(); }

  // The segment's keys, normed and rotated, and its values.
  void load_keys(const Segment &segment, bool backward) {
    for (int64_t t = 0; t < segment.length; t++) {
      const float *row = a.qkv + (segment.start + t) * st.qkv, *value = row + value_column();
      float *const key = own.queries;  // not in use yet
      const int64_t slot = segment.position + t;
      prepare(row + key_column(), w.key_norm, slot, 1, key);
      pack_across(key, dim, slot, own.keys_across);
      pack_head(value, dim, st.slots, slot, own.values);
      if (a.keys_values) {
        float *const out = a.keys_values + (segment.start + t) * 2 * s.key_size() + head * dim;
        memcpy(out, key, sizeof(float) * dim);
        memcpy(out + s.key_size(), value, sizeof(float) * dim);
      }
      if (backward) {
        pack_head(key, dim, st.slots, slot, own.keys);
        pack_across(value, dim, slot, own.values_across);
      }
    }
  }

  void prepare(const float *x, const float *norm, int64_t position, float scale, float *out) const {
    if (norm) {
      rms_norm(x, norm, dim, s.norm_epsilon, out);
    } else {
      memcpy(out, x, sizeof(float) * dim);
    }
    rotate(out, cosines(position), sines(position), dim / 2, scale);
  }

  // The softmax's scale and its change to base 2 go into the queries.
  void load_queries(const Segment &segment, int64_t q, int64_t first, int m) {
    const float scale = static_cast<float>(LOG2E / sqrt(static_cast<double>(dim)));
    for (int i = 0; i < m; i++) {
      prepare(a.qkv + (segment.start + first + i) * st.qkv + q * dim, w.query_norm, segment.position + first + i, scale,
              own.queries + i * st.head);
    }
  }

  // out[i][t] = rows[i] . (keys or values)[t] for m rows, up to `tokens` tokens.
  void products(const float *rows, int m, const float *across, int64_t tokens, float *out) const {
    const float *each[MR];
    for (int i = 0; i < m; i++) each[i] = rows + i * st.head;
    for (int64_t t = 0; t < tokens; t += NR) {
      const float *panel = across + t * dim;
      tile(m, each, dim, dim, [panel](int64_t) { return panel; }, [&](int i, Vec low, Vec high) {
        store(out + i * st.scores + t, low);
        store(out + i * st.scores + t + WIDTH, high);
      });
    }
  }

  // Queries [first, first + MR) of a head, or the rest of the segment.
  void attend(const Segment &segment, int64_t q, int64_t first) {
    const int m = static_cast<int>(segment.length - first < MR ? segment.length - first : MR);
    const int64_t position = segment.position + first, tokens = position + m;
    load_queries(segment, q, first, m);
    products(own.queries, m, own.keys_across, tokens, own.weights);
    float scales[MR];
    const float *rows[MR];
    for (int i = 0; i < m; i++) {
      float *const row = own.weights + i * st.scores;
      const int64_t seen = position + i + 1;
      float most;
      const float sum = soften(row, seen, &most);
      store(row + round_up(seen, WIDTH), vec(0));  // up to what the last query sees
      rows[i] = row;
      scales[i] = 1.0f / sum;
      if (a.sums) a.sums[(segment.start + first + i) * s.heads + q] = most + log2f(sum);
    }
    for (int64_t d = 0; d < dim; d += NR) {
      const float *panel = own.values + d * st.slots;
      tile(m, rows, tokens, tokens, [panel](int64_t) { return panel; }, [&](int i, Vec low, Vec high) {
        float *out = a.mixed + (segment.start + first + i) * st.query + q * dim + d;
        const Vec scale = vec(scales[i]);
        store_columns(out, dim - d, mul(low, scale), mul(high, scale));
      });
    }
  }

  // Queries [first, first + QUERIES) of a head, or the rest of the segment.
  void differentiate(const Segment &segment, int64_t q, int64_t first, const float *mixed_flow, float *qkv_flow,
                     float *norms) {
    const int64_t count = segment.length - first < QUERIES ? segment.length - first : QUERIES;
    const int64_t position = segment.position + first, tokens = position + count;
    load_queries(segment, q, first, static_cast<int>(count));
    for (int64_t i = 0; i < count; i++) {
      const int64_t at = (segment.start + first + i) * st.query + q * dim;
      memcpy(own.gradients + i * st.head, mixed_flow + at, sizeof(float) * dim);
    }
    for (int64_t from = 0; from < count; from += MR) {
      const int m = static_cast<int>(count - from < MR ? count - from : MR);
      float *const weights = own.weights + from * st.scores, *const changes = own.changes + from * st.scores;
      products(own.queries + from * st.head, m, own.keys_across, position + from + m, weights);
      products(own.gradients + from * st.head, m, own.values_across, position + from + m, changes);
      const float *rows[MR];
      for (int i = 0; i < m; i++) {
        soften_back(segment.start + first + from + i, q, position + from + i + 1, tokens, own.gradients + (from + i) * st.head,
                    weights + i * st.scores, changes + i * st.scores);
        rows[i] = changes + i * st.scores;
      }
      query_gradients(segment, q, first + from, m, rows, qkv_flow, norms);
    }
    // The keys' and values' part of these queries; the queries bear log2(e) more than the softmax's scale.
    const float scale = static_cast<float>(1 / LOG2E);
    for (int64_t t = 0; t < tokens; t += MR) {
      const int m = static_cast<int>(tokens - t < MR ? tokens - t : MR);
      for (int64_t d = 0; d < dim; d += NR) {
        float *const values = own.value_gradients + t * st.head + d, *const keys = own.key_gradients + t * st.head + d;
        block(m, own.weights + t, 1, st.scores, own.gradients + d, st.head, count,
              [&](int i, Vec low, Vec high) { add_columns(values + i * st.head, NR, low, high); });
        block(m, own.changes + t, 1, st.scores, own.queries + d, st.head, count, [&](int i, Vec low, Vec high) {
          add_columns(keys + i * st.head, NR, mul(low, vec(scale)), mul(high, vec(scale)));
        });
      }
    }
  }

  // One query's scores become its weights, the gradients of the weights those of the scores; both 0 from what it does
  // not see up to `tokens`.
  void soften_back(int64_t row, int64_t q, int64_t seen, int64_t tokens, const float *gradient, float *weights,
                   float *changes) const {
    const Vec sum = vec(a.sums[row * s.heads + q]);
    const Vec along = vec(dot(gradient, a.mixed + row * st.query + q * dim, dim));
    for (int64_t t = 0; t < seen; t += WIDTH) {
      const Vec weight = exp2(sub(load_some(weights + t, seen - t, -INFINITY), sum));
      store(weights + t, weight);
      store(changes + t, mul(weight, sub(load_some(changes + t, seen - t, 0), along)));
    }
    for (int64_t t = round_up(seen, WIDTH); t < tokens; t += WIDTH) {
      store(weights + t, vec(0));
      store(changes + t, vec(0));
    }
  }

  void query_gradients(const Segment &segment, int64_t q, int64_t first, int m, const float *const *changes,
                       float *qkv_flow, float *norms) {
    const int64_t position = segment.position + first, tokens = position + m;
    const Vec scale = vec(static_cast<float>(1 / sqrt(static_cast<double>(dim))));
    float *const out = qkv_flow + (segment.start + first) * st.qkv + q * dim;
    for (int64_t d = 0; d < dim; d += NR) {
      const float *panel = own.keys + d * st.slots;
      tile(m, changes, tokens, tokens, [panel](int64_t) { return panel; }, [&](int i, Vec low, Vec high) {
        store_columns(out + i * st.qkv + d, dim - d, mul(low, scale), mul(high, scale));
      });
    }
    for (int i = 0; i < m; i++) {
      finish(a.qkv + (segment.start + first + i) * st.qkv + q * dim, w.query_norm, position + i, out + i * st.qkv, norms);
    }
  }

  void finish_keys(const Segment &segment, float *qkv_flow, float *norms) {
    for (int64_t t = 0; t < segment.length; t++) {
      const int64_t row = segment.start + t, slot = segment.position + t;
      float *const keys = own.key_gradients + slot * st.head, *const values = own.value_gradients + slot * st.head;
      float *const out = qkv_flow + row * st.qkv;
      memcpy(out + key_column(), keys, sizeof(float) * dim);
      memcpy(out + value_column(), values, sizeof(float) * dim);
      finish(a.qkv + row * st.qkv + key_column(), w.key_norm, slot, out + key_column(), norms + st.head);
      memset(keys, 0, sizeof(float) * st.head);  // the slot is the next segment's
      memset(values, 0, sizeof(float) * st.head);
    }
  }

  // Backward of prepare, in place of the gradient.
  void finish(const float *x, const float *norm, int64_t position, float *gradient, float *norm_gradient) const {
    rotate_back(gradient, cosines(position), sines(position), dim / 2);
    if (norm) rms_norm_backward(x, norm, gradient, nullptr, dim, s.norm_epsilon, gradient, norm_gradient);
  }

  const Transformer &model;
  const DecoderShape &s;
  const TransformerLayer &w;
  const Strides &st;
  const Activations &a;
  const Own &own;
  const Group &group;
  const int64_t head, dim, share;
};

}  // namespace
