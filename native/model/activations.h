// The memory of a pass over a batch, and its layout.
#pragma once

#include "blocks.h"
#include "model.h"
#include "ops/attention/attention.h"

namespace {

using hir::Batch;
using hir::ModelShape;

static inline int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// Elements between rows: whole cache lines, but not a multiple of 2 KiB, because such rows would share few cache sets.
template <class T>
static inline int64_t pitch(int64_t columns) {
  constexpr int64_t LINE = 64 / sizeof(T);
  const int64_t elements = round_up(columns, LINE);
  return elements % (32 * LINE) ? elements : elements + LINE;
}

template <class T>
struct Pitches {
  int64_t x;  // of floats
  int64_t normed, qkv, query, intermediate, factors;  // of T

  explicit Pitches(const ModelShape &s)
      : x(pitch<float>(s.hidden)), normed(pitch<T>(s.hidden)), qkv(pitch<T>(s.qkv_size())), query(pitch<T>(s.query_size())),
        intermediate(pitch<T>(s.intermediate)), factors(pitch<T>(hir::width(hir::Order::GATE_UP, 2 * s.intermediate))) {}
};

// One layer's rows: input, queries with keys and values before norm and rotation, attention's output and the logarithm
// to base 2 of its sums, x after attention, gates and ups, output, rotated keys with values for the caller. Sums and
// factors are null where nothing is kept, keys_values where none are asked for.
template <class T>
struct Activations {
  float *x;
  T *qkv, *mixed;
  float *sums, *mid;
  T *factors;
  float *out;
  T *keys_values;
};

// Hands out pieces of a block of memory; without memory it only counts.
class Carver {
 public:
  explicit Carver(void *memory) : memory(static_cast<char *>(memory)) {}

  template <class T>
  void take(int64_t count, T **piece) {
    *piece = memory ? reinterpret_cast<T *>(memory + used) : nullptr;
    used += round_up(count * static_cast<int64_t>(sizeof(T)), 64);
  }

  int64_t used = 0;

 private:
  char *const memory;
};

// A thread's own memory for attention of one key-value head (attention.h); what only a backward needs is null without.
template <class T>
struct AttentionMemory {
  int64_t head;         // a head's row, whole tiles
  int64_t slots;        // tokens of the longest sequence, whole blocks
  int64_t block_bytes;  // of ops/attention
  T *keys, *values;     // [slots, head]
  char *blocks;
  const char **places;  // where each block lies
  T *queries, *flows;   // [MOST_QUERIES, head]
  int64_t *rows, *heads;  // whose the queries are
  float *scratch;       // [head]
  float *query_gradients;                  // [MOST_QUERIES, head]
  float *key_gradients, *value_gradients;  // [slots, head]

  AttentionMemory(const hir::Model &model, int64_t longest, bool backward, Carver &carver)
      : head(round_up(model.shape.head_dim, hir::KEYS)), slots(round_up(longest, hir::KEYS)) {
    hir::Attention attention;
    hir::Attention::of(model.matmul, model.shape.head_dim, &attention);
    block_bytes = (backward ? 4 : 2) * attention.part_bytes();
    carver.take(slots * head, &keys);
    carver.take(slots * head, &values);
    carver.take(slots / hir::KEYS * block_bytes, &blocks);
    carver.take(slots / hir::KEYS, &places);
    carver.take(hir::MOST_QUERIES * head, &queries);
    carver.take(hir::MOST_QUERIES, &rows);
    carver.take(hir::MOST_QUERIES, &heads);
    carver.take(head, &scratch);
    flows = nullptr;
    query_gradients = key_gradients = value_gradients = nullptr;
    if (!backward) return;
    carver.take(hir::MOST_QUERIES * head, &flows);
    carver.take(hir::MOST_QUERIES * head, &query_gradients);
    carver.take(slots * head, &key_gradients);
    carver.take(slots * head, &value_gradients);
  }
};

// The matrices of one layer, packed for y W.
struct PackedBack {
  void *qkv, *output, *gate_up, *down;
};

template <class T>
class Memory {
 public:
  Memory(const hir::Model &model, const Batch &batch, int32_t threads, void *memory)
      : model(model), s(model.shape), pitches(s), tokens(batch.tokens), blocks((tokens + ROWS - 1) / ROWS), keep(batch.keep),
        keys_values(static_cast<T *>(batch.keys_values)), longest(batch.longest), carver(memory) {
    const bool backward = keep != hir::NOTHING;
    const int64_t full = keep == hir::EVERYTHING ? s.layers : 1;
    carver.take((backward ? s.layers + 1 : 1) * tokens * pitches.x, &x);
    carver.take(full * tokens * pitches.qkv, &qkv);
    carver.take(full * tokens * pitches.query, &mixed);
    carver.take(tokens * pitches.normed, &normed);
    carver.take(tokens * pitches.intermediate, &activated);
    if (backward) {
      carver.take(full * tokens * s.heads, &sums);
      carver.take(full * tokens * pitches.x, &mid);
      carver.take(full * tokens * pitches.factors, &factors);
      carver.take(tokens * pitches.x, &flow);
      carver.take(tokens * pitches.x, &mid_flow);
      carver.take(tokens * pitches.x, &normed_flow);
      if constexpr (sizeof(T) == sizeof(float)) {
        low_flow = flow;
        low_mid_flow = mid_flow;
      } else {
        carver.take(tokens * pitches.normed, &low_flow);
        carver.take(tokens * pitches.normed, &low_mid_flow);
      }
      carver.take(tokens * pitches.query, &mixed_flow);
      carver.take(tokens * pitches.qkv, &qkv_flow);
      carver.take(2 * blocks * pitches.x, &norm_sums);
      carver.take(2 * batch.group_count * s.kv_heads * round_up(s.head_dim, hir::KEYS), &head_norm_sums);
      const hir::LayerWeights &any = model.layers[0];
      const auto back = [&](const hir::Linear &linear, void **piece) {
        char *bytes = nullptr;
        carver.take(model.matmul.packed_bytes_backward(linear.weight), &bytes);
        *piece = bytes;
      };
      back(any.qkv, &packed.qkv);
      back(any.output, &packed.output);
      back(any.gate_up, &packed.gate_up);
      back(any.down, &packed.down);
      int64_t rank = 0, a = 0, b = 0;  // the most of any adapter
      for (int64_t i = 0; i < s.layers; i++) {
        const hir::LayerWeights &w = model.layers[i];
        const hir::Linear *const linears[] = {&w.qkv, &w.output, &w.gate_up, &w.down};
        for (const hir::Linear *linear : linears) {
          if (!linear->adapter) continue;
          rank = most(rank, linear->adapter->rank);
          a = most(a, linear->adapter->rank * linear->weight.k);
          b = most(b, linear->adapter->rank * linear->weight.n);
        }
      }
      rank_pitch = pitch<T>(rank);
      if (rank > 0) {
        carver.take(tokens * rank_pitch, &thin_x);
        carver.take(tokens * rank_pitch, &thin_flow);
        carver.take(a, &a_gradient);
        carver.take(b, &b_gradient);
      }
    }
    carver.take(0, &owns);
    Carver counter(nullptr);
    AttentionMemory<T>(model, longest, backward, counter);
    own_size = counter.used;
    carver.used += threads * own_size;
  }

  int64_t size() const { return carver.used; }

  AttentionMemory<T> own(int thread) const {
    Carver mine(owns + thread * own_size);
    return AttentionMemory<T>(model, longest, keep != hir::NOTHING, mine);
  }

  // The memory of layer `index` when it runs for the first time, or `again` before its backward.
  Activations<T> layer(int64_t index, bool again) const {
    float *const in = x + (keep == hir::NOTHING ? 0 : index * tokens * pitches.x);
    float *const out = keep == hir::NOTHING ? in : in + tokens * pitches.x;
    const int64_t skip = keep == hir::EVERYTHING ? index * tokens : 0;
    Activations<T> a = {in, qkv + skip * pitches.qkv, mixed + skip * pitches.query, nullptr, out, nullptr, out, nullptr};
    if (keys_values) a.keys_values = keys_values + index * tokens * 2 * s.key_size();
    if (keep == hir::EVERYTHING || again) {
      a.sums = sums + skip * s.heads;
      a.mid = mid + skip * pitches.x;
      a.factors = factors + skip * pitches.factors;
    }
    return a;
  }

  // Behind the last layer.
  float *last() const { return layer(s.layers - 1, false).out; }

  // Rows per block: gradients of norm weights are summed per block first.
  static constexpr int64_t ROWS = 64;

  const hir::Model &model;
  const ModelShape &s;
  const Pitches<T> pitches;
  const int64_t tokens, blocks;
  const hir::Keep keep;
  T *const keys_values;
  const int64_t longest;

  // Inputs of products: of one layer at a time, again in its backward.
  T *normed, *activated;
  // Of the backward: gradients of a layer's output, in place also of its input, of x after attention and of what a norm
  // gives; the first two as products read them; those of attention's output and of queries, keys and values; sums of the
  // norms' weights, of blocks of rows (input, mid) and of heads (query, key); the layer's matrices.
  float *flow = nullptr, *mid_flow = nullptr, *normed_flow = nullptr;
  T *low_flow = nullptr, *low_mid_flow = nullptr, *mixed_flow = nullptr, *qkv_flow = nullptr;
  float *norm_sums = nullptr, *head_norm_sums = nullptr;
  PackedBack packed = {};
  // Of an adapter: X A^T and dY B, their rows' pitch, and gradients of A and B.
  T *thin_x = nullptr, *thin_flow = nullptr;
  int64_t rank_pitch = 0;
  float *a_gradient = nullptr, *b_gradient = nullptr;

 private:
  static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

  Carver carver;
  float *x, *sums = nullptr, *mid = nullptr;
  T *qkv, *mixed, *factors = nullptr;
  char *owns;
  int64_t own_size;
};

}  // namespace
