// Causal attention of one group of segments and one key-value head, forward and backward. The head's keys and values are
// laid out for the tiles of gemm.h once: "across" means panels of NR tokens, [tokens / NR][head_dim][NR]; the others are
// panels of NR columns, [head_dim / NR][slots][NR]. A token's slot is its position.
#pragma once

#include "activations.h"
#include "attend.h"

namespace {

using hir::Group;
using hir::Segment;

static inline void pack_head(const float *x, int64_t dim, int64_t slots, int64_t slot, float *panels) {
  for (int64_t d = 0; d < dim; d += NR) {
    memcpy(panels + d * slots + slot * NR, x + d, sizeof(float) * (dim - d < NR ? dim - d : NR));
  }
}

static inline void pack_across(const float *x, int64_t dim, int64_t slot, float *panels) {
  float *out = panels + slot / NR * dim * NR + slot % NR;
  for (int64_t d = 0; d < dim; d++) out[d * NR] = x[d];
}

template <class T>
class Attention {
 public:
  Attention(const Heads &heads, const LayerWeights &w, const Pitches<T> &pitches, const Activations<T> &a,
            const AttentionMemory &own, const Group &group, int64_t head)
      : heads(heads), s(heads.s), w(w), pitches(pitches), a(a), own(own), group(group), head(head), dim(s.head_dim),
        share(s.heads / s.kv_heads) {}

  void forward() const {
    for (int64_t i = 0; i < group.count; i++) {
      const Segment &segment = group.segments[i];
      load_keys(segment, false);
      for (int64_t q = head * share; q < (head + 1) * share; q++) {
        for (int64_t t = 0; t < segment.length; t += MR) attend(segment, q, t);
      }
    }
  }

  // From the gradient of attention's output, that of queries, keys and values before norm and rotation; adds those of
  // the query and key norms to [2][own.head].
  void backward(const T *mixed_flow, T *qkv_flow, float *norms) const {
    memset(own.key_gradients, 0, sizeof(float) * own.slots * own.head);
    memset(own.value_gradients, 0, sizeof(float) * own.slots * own.head);
    memset(norms, 0, sizeof(float) * 2 * own.head);
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
  const T *qkv(const Segment &segment, int64_t token) const { return a.qkv + (segment.start + token) * pitches.qkv; }

  // The segment's keys, normed and rotated, and its values.
  void load_keys(const Segment &segment, bool backward) const {
    float *const key = own.queries, *const value = own.weights;  // not in use yet
    T *const kept = reinterpret_cast<T *>(own.queries + own.head);
    for (int64_t t = 0; t < segment.length; t++) {
      const T *const row = qkv(segment, t);
      const int64_t slot = segment.position + t;
      heads.key(w, row + heads.key_column(head), slot, kept, key);
      convert(kept, dim, key);
      convert(row + heads.value_column(head), dim, value);
      pack_across(key, dim, slot, own.keys_across);
      pack_head(value, dim, own.slots, slot, own.values);
      if (a.keys_values) {
        T *const out = a.keys_values + (segment.start + t) * 2 * s.key_size() + head * dim;
        memcpy(out, kept, sizeof(T) * dim);
        memcpy(out + s.key_size(), row + heads.value_column(head), sizeof(T) * dim);
      }
      if (backward) {
        pack_head(key, dim, own.slots, slot, own.keys);
        pack_across(value, dim, slot, own.values_across);
      }
    }
  }

  void load_queries(const Segment &segment, int64_t q, int64_t first, int64_t count) const {
    for (int64_t i = 0; i < count; i++) {
      heads.query(w, qkv(segment, first + i) + q * dim, segment.position + first + i, own.queries + i * own.head);
    }
  }

  // out[i][t] = rows[i] . (keys or values)[t] for m rows, up to `tokens` tokens.
  void products(const float *rows, int m, const float *across, int64_t tokens, float *out) const {
    score(rows, own.head, m, dim, tokens, [across, this](int64_t t) { return across + t * dim; }, out, own.scores);
  }

  // Queries [first, first + MR) of a head, or the rest of the segment.
  void attend(const Segment &segment, int64_t q, int64_t first) const {
    const int m = static_cast<int>(segment.length - first < MR ? segment.length - first : MR);
    const int64_t position = segment.position + first, tokens = position + m;
    float *const mixed = own.queries + MR * own.head;
    float sums[MR];
    load_queries(segment, q, first, m);
    products(own.queries, m, own.keys_across, tokens, own.weights);
    for (int i = 0; i < m; i++) {
      float *const row = own.weights + i * own.scores;
      const int64_t seen = position + i + 1;
      float most;
      sums[i] = soften(row, seen, &most);
      store(row + round_up(seen, WIDTH), vec(0));  // up to what the last query sees
      if (a.sums) a.sums[(segment.start + first + i) * s.heads + q] = most + log2f(sums[i]);
    }
    const float *const values = own.values;
    mix(own.weights, own.scores, m, dim, tokens, tokens, [values, this](int64_t, int64_t d) { return values + d * own.slots; },
        mixed, own.head, false);
    for (int i = 0; i < m; i++) {
      finish_query(mixed + i * own.head, sums[i], dim, a.mixed + (segment.start + first + i) * pitches.query + q * dim);
    }
  }

  // Queries [first, first + QUERIES) of a head, or the rest of the segment.
  void differentiate(const Segment &segment, int64_t q, int64_t first, const T *mixed_flow, T *qkv_flow,
                     float *norms) const {
    const int64_t count = segment.length - first < QUERIES ? segment.length - first : QUERIES;
    const int64_t position = segment.position + first, tokens = position + count;
    load_queries(segment, q, first, count);
    for (int64_t i = 0; i < count; i++) {
      convert(mixed_flow + (segment.start + first + i) * pitches.query + q * dim, dim, own.gradients + i * own.head);
    }
    for (int64_t from = 0; from < count; from += MR) {
      const int m = static_cast<int>(count - from < MR ? count - from : MR);
      float *const weights = own.weights + from * own.scores, *const changes = own.changes + from * own.scores;
      products(own.queries + from * own.head, m, own.keys_across, position + from + m, weights);
      products(own.gradients + from * own.head, m, own.values_across, position + from + m, changes);
      for (int i = 0; i < m; i++) {
        soften_back(segment.start + first + from + i, q, position + from + i + 1, tokens,
                    own.gradients + (from + i) * own.head, weights + i * own.scores, changes + i * own.scores);
      }
      query_gradients(segment, q, first + from, m, changes, qkv_flow, norms);
    }
    // The keys' and values' part of these queries; the queries bear log2(e) more than the softmax's scale.
    const float scale = static_cast<float>(1 / LOG2E);
    for (int64_t t = 0; t < tokens; t += MR) {
      const int m = static_cast<int>(tokens - t < MR ? tokens - t : MR);
      for (int64_t d = 0; d < dim; d += NR) {
        float *const values = own.value_gradients + t * own.head + d, *const keys = own.key_gradients + t * own.head + d;
        block(m, own.weights + t, 1, own.scores, own.gradients + d, own.head, count,
              [&](int i, Vec low, Vec high) { add_columns(values + i * own.head, NR, low, high); });
        block(m, own.changes + t, 1, own.scores, own.queries + d, own.head, count, [&](int i, Vec low, Vec high) {
          add_columns(keys + i * own.head, NR, mul(low, vec(scale)), mul(high, vec(scale)));
        });
      }
    }
  }

  // One query's scores become its weights, the gradients of the weights those of the scores; both 0 from what it does
  // not see up to `tokens`.
  void soften_back(int64_t row, int64_t q, int64_t seen, int64_t tokens, const float *gradient, float *weights,
                   float *changes) const {
    const Vec sum = vec(a.sums[row * s.heads + q]);
    const Vec along = vec(dot(gradient, a.mixed + row * pitches.query + q * dim, dim));
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

  void query_gradients(const Segment &segment, int64_t q, int64_t first, int m, const float *changes, T *qkv_flow,
                       float *norms) const {
    const int64_t position = segment.position + first, tokens = position + m;
    const Vec scale = vec(static_cast<float>(1 / sqrt(static_cast<double>(dim))));
    const float *const keys = own.keys;
    mix(changes, own.scores, m, dim, tokens, tokens, [keys, this](int64_t, int64_t d) { return keys + d * own.slots; },
        own.flows, own.head, false);
    for (int i = 0; i < m; i++) {
      float *const gradient = own.flows + i * own.head;
      for (int64_t d = 0; d < dim; d += WIDTH) store(gradient + d, mul(load(gradient + d), scale));
      heads.back(qkv(segment, first + i) + q * dim, w.query_norm, position + i, gradient, norms);
      convert(gradient, dim, qkv_flow + (segment.start + first + i) * pitches.qkv + q * dim);
    }
  }

  void finish_keys(const Segment &segment, T *qkv_flow, float *norms) const {
    for (int64_t t = 0; t < segment.length; t++) {
      const int64_t slot = segment.position + t;
      float *const keys = own.key_gradients + slot * own.head, *const values = own.value_gradients + slot * own.head;
      T *const out = qkv_flow + (segment.start + t) * pitches.qkv;
      convert(values, dim, out + heads.value_column(head));
      heads.back(qkv(segment, t) + heads.key_column(head), w.key_norm, slot, keys, norms + own.head);
      convert(keys, dim, out + heads.key_column(head));
      memset(keys, 0, sizeof(float) * own.head);  // the slot is the next segment's
      memset(values, 0, sizeof(float) * own.head);
    }
  }

  const Heads &heads;
  const ModelShape &s;
  const LayerWeights &w;
  const Pitches<T> &pitches;
  const Activations<T> &a;
  const AttentionMemory &own;
  const Group &group;
  const int64_t head, dim, share;
};

}  // namespace
