// Attention of one group of segments and one key-value head, forward and backward, over ops/attention. A token's slot is its
// position: a segment's keys and values follow those of the one that it continues.
#pragma once

#include <string.h>

#include "activations.h"
#include "attend.h"

namespace {

using hir::Group;
using hir::KEYS;
using hir::MOST_QUERIES;
using hir::Part;
using hir::Segment;

template <class T>
class PackedAttention {
 public:
  PackedAttention(const Heads &heads, const LayerWeights &w, const Pitches<T> &pitches, const Activations<T> &a,
                  const AttentionMemory<T> &own, const Group &group, int64_t head)
      : heads(heads), s(heads.s), w(w), pitches(pitches), a(a), own(own), group(group), head(head), dim(s.head_dim),
        share(s.heads / s.kv_heads) {}

  bool forward() const {
    bool done = true;
    for (int64_t i = 0; i < group.count; i++) {
      load_keys(group.segments[i], false);
      for_queries(group.segments[i], [&](const hir::Queries &queries) {
        void *out[MOST_QUERIES];
        float *sums[MOST_QUERIES];
        for (int64_t r = 0; r < queries.count; r++) {
          out[r] = a.mixed + own.rows[r] * pitches.query + own.heads[r] * dim;
          sums[r] = a.sums ? a.sums + own.rows[r] * s.heads + own.heads[r] : nullptr;
        }
        done = heads.attention.forward({queries, out, a.sums ? sums : nullptr}) && done;
      });
    }
    return done;
  }

  // Computes the gradient of queries, keys and values before norm and rotation from that of attention's output; adds
  // those of the query and key norms to [2][own.head].
  bool backward(const T *mixed_flow, T *qkv_flow, float *norms) const {
    memset(own.key_gradients, 0, sizeof(float) * own.slots * own.head);
    memset(own.value_gradients, 0, sizeof(float) * own.slots * own.head);
    memset(norms, 0, sizeof(float) * 2 * own.head);
    bool done = true;
    for (int64_t i = 0; i < group.count; i++) {
      const Segment &segment = group.segments[i];
      load_keys(segment, true);
      for_queries(segment, [&](const hir::Queries &queries) {
        done = differentiate(segment, queries, mixed_flow, qkv_flow, norms) && done;
      });
      if (i > 0) finish_keys(segment, qkv_flow, norms);
    }
    finish_keys(group.segments[0], qkv_flow, norms);
    return done;
  }

 private:
  const T *qkv(int64_t row) const { return a.qkv + row * pitches.qkv; }

  // The segment's keys, normed and rotated, and its values, and the blocks that have some of them.
  void load_keys(const Segment &segment, bool backward) const {
    for (int64_t t = 0; t < segment.length; t++) {
      const T *const row = qkv(segment.start + t);
      const int64_t slot = segment.position + t;
      T *const key = own.keys + slot * own.head, *const value = own.values + slot * own.head;
      heads.key(w, row + heads.key_column(head), slot, key, own.scratch);
      memcpy(value, row + heads.value_column(head), sizeof(T) * dim);
      if (a.keys_values) {
        T *const out = a.keys_values + (segment.start + t) * 2 * s.key_size() + head * dim;
        memcpy(out, key, sizeof(T) * dim);
        memcpy(out + s.key_size(), value, sizeof(T) * dim);
      }
    }
    const int64_t end = segment.position + segment.length, part = heads.attention.part_bytes();
    for (int64_t block = segment.position / KEYS; block * KEYS < end; block++) {
      char *const to = own.blocks + block * own.block_bytes;
      own.places[block] = to;
      const int64_t from = block * KEYS * own.head, count = end - block * KEYS < KEYS ? end - block * KEYS : KEYS;
      const auto pack = [&](Part which, const T *rows) {
        heads.attention.pack(which, rows + from, own.head, count, to + static_cast<int64_t>(which) * part);
      };
      pack(Part::KEYS_ACROSS, own.keys);
      pack(Part::VALUES_DOWN, own.values);
      if (!backward) continue;
      pack(Part::KEYS_DOWN, own.keys);
      pack(Part::VALUES_ACROSS, own.values);
    }
  }

  // work(queries) for the segment's queries of this head, some tokens' at a time; own.rows and own.heads say whose.
  template <class Work>
  void for_queries(const Segment &segment, const Work &work) const {
    const char *const *blocks[MOST_QUERIES];
    for (char const *const *&each : blocks) each = own.places;
    hir::Sight sights[MOST_QUERIES];
    int64_t count = 0;
    for (int64_t t = 0; t < segment.length; t++) {
      for (int64_t q = 0; q < share; q++) {
        own.rows[count] = segment.start + t;
        own.heads[count] = head * share + q;
        sights[count] = Heads::sight(w, segment.position + t);
        heads.query(w, qkv(own.rows[count]) + own.heads[count] * dim, segment.position + t, own.queries + count * own.head,
                    own.scratch);
        const bool last = t + 1 == segment.length && q + 1 == share;
        if (++count < MOST_QUERIES && !last) continue;
        work({count, own.queries, own.head, sights, blocks, own.slots / KEYS, 0});
        count = 0;
      }
    }
  }

  bool differentiate(const Segment &segment, const hir::Queries &queries, const T *mixed_flow, T *qkv_flow,
                     float *norms) const {
    float sums[MOST_QUERIES], along[MOST_QUERIES];
    for (int64_t r = 0; r < queries.count; r++) {
      const int64_t at = own.rows[r] * pitches.query + own.heads[r] * dim;
      memcpy(own.flows + r * own.head, mixed_flow + at, sizeof(T) * dim);
      sums[r] = a.sums[own.rows[r] * s.heads + own.heads[r]];
      along[r] = dot(mixed_flow + at, a.mixed + at, dim);
    }
    const bool done = heads.attention.backward(
        {queries, own.flows, sums, along, own.query_gradients, own.key_gradients, own.value_gradients, own.head});
    for (int64_t r = 0; r < queries.count; r++) {
      float *const gradient = own.query_gradients + r * own.head;
      const int64_t column = own.heads[r] * dim, position = segment.position + own.rows[r] - segment.start;
      heads.back(qkv(own.rows[r]) + column, w.query_norm, position, gradient, norms);
      convert(gradient, dim, qkv_flow + own.rows[r] * pitches.qkv + column);
    }
    return done;
  }

  void finish_keys(const Segment &segment, T *qkv_flow, float *norms) const {
    const Vec scale = vec(static_cast<float>(1 / LOG2E));
    for (int64_t t = 0; t < segment.length; t++) {
      const int64_t row = segment.start + t, slot = segment.position + t;
      float *const keys = own.key_gradients + slot * own.head, *const values = own.value_gradients + slot * own.head;
      T *const out = qkv_flow + row * pitches.qkv;
      convert(values, dim, out + heads.value_column(head));
      for (int64_t d = 0; d < own.head; d += WIDTH) store(keys + d, mul(load(keys + d), scale));
      heads.back(qkv(row) + heads.key_column(head), w.key_norm, slot, keys, norms + own.head);
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
  const AttentionMemory<T> &own;
  const Group &group;
  const int64_t head, dim, share;
};

}  // namespace
