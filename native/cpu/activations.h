// What a pass over a batch keeps in memory, and how it is cut.
#pragma once

#include "gemm.h"
#include "transformer.h"

namespace {

using hir::Batch;
using hir::DecoderShape;

// Rows that go through the products of a layer together. Sums over rows are taken per block first.
constexpr int64_t ROWS = 64;
// Queries whose attention is differentiated together.
constexpr int64_t QUERIES = 32;

// Floats between rows: whole tiles, and not a multiple of a page, whose rows would share few sets of the cache.
static inline int64_t stride(int64_t columns) {
  const int64_t floats = round_up(columns, NR);
  return floats % 512 ? floats : floats + 16;
}

struct Strides {
  int64_t x, qkv, query, intermediate, gate_up, head;
  int64_t scores;  // of one query; a vector more than there are tokens
  int64_t slots;   // tokens of the longest sequence

  Strides(const DecoderShape &s, int64_t longest)
      : x(stride(s.hidden)), qkv(stride(s.qkv_size())), query(stride(s.query_size())),
        intermediate(stride(s.intermediate)), gate_up(stride(2 * s.intermediate)), head(round_up(s.head_dim, NR)),
        scores(round_up(longest, NR) + NR), slots(round_up(longest, NR)) {}
};

// One layer's rows: input, queries with keys and values before norm and rotation, attention's output and the logarithm
// to base 2 of its sums, x behind attention, gates and ups, output, rotated keys with values for the caller. Sums and
// gate_up are null where nothing is kept, keys_values where none are asked for.
struct Activations {
  float *x, *qkv, *mixed, *sums, *mid, *gate_up, *out, *keys_values;
};

// Takes pieces of a block of memory; without memory it only counts.
class Carver {
 public:
  explicit Carver(float *memory) : memory(memory) {}

  float *take(int64_t floats) {
    float *const piece = memory ? memory + used : nullptr;
    used += round_up(floats, 16);
    return piece;
  }

  int64_t used = 0;

 private:
  float *const memory;
};

// A thread's own memory. Attention of one key-value head is in attention.h; what only a backward needs is null without.
struct Own {
  float *normed, *activated;             // [ROWS] rows
  float *keys_across, *keys;             // panels of tokens, and of columns
  float *values_across, *values;
  float *key_gradients, *value_gradients;  // [slots, head]
  float *weights, *changes;              // [QUERIES, scores]
  float *queries, *gradients;            // [QUERIES, head]
  float *outer;                          // of add_outer

  Own(const DecoderShape &s, const Strides &strides, bool backward, Carver &carver) {
    const auto only_backward = [&](int64_t floats) { return backward ? carver.take(floats) : nullptr; };
    const int64_t across = strides.slots * s.head_dim, down = strides.slots * strides.head;
    normed = carver.take(ROWS * strides.x);
    activated = carver.take(ROWS * strides.intermediate);
    keys_across = carver.take(across);
    values = carver.take(down);
    weights = carver.take(QUERIES * strides.scores);
    queries = carver.take(QUERIES * strides.head);
    keys = only_backward(down);
    values_across = only_backward(across);
    key_gradients = only_backward(down);
    value_gradients = only_backward(down);
    changes = only_backward(QUERIES * strides.scores);
    gradients = only_backward(QUERIES * strides.head);
    outer = only_backward(OUTER_SCRATCH);
  }
};

class Memory {
 public:
  Memory(const DecoderShape &s, const Batch &batch, int32_t threads, float *memory)
      : s(s), strides(s, batch.longest), tokens(batch.tokens), blocks((tokens + ROWS - 1) / ROWS), keep(batch.keep),
        keys_values(batch.keys_values), carver(memory) {
    const bool backward = keep != hir::NOTHING;
    const int64_t full = keep == hir::EVERYTHING ? s.layers : 1;
    x = carver.take((backward ? s.layers + 1 : 1) * tokens * strides.x);
    qkv = carver.take(full * tokens * strides.qkv);
    mixed = carver.take(full * tokens * strides.query);
    if (backward) {
      sums = carver.take(full * tokens * s.heads);
      mid = carver.take(full * tokens * strides.x);
      gate_up = carver.take(full * tokens * strides.gate_up);
      flow = carver.take(tokens * strides.x);
      next_flow = carver.take(tokens * strides.x);
      mid_flow = carver.take(tokens * strides.x);
      normed_input = carver.take(tokens * strides.x);
      normed_mid = carver.take(tokens * strides.x);
      activated = carver.take(tokens * strides.intermediate);
      gate_up_flow = carver.take(tokens * strides.gate_up);
      mixed_flow = carver.take(tokens * strides.query);
      qkv_flow = carver.take(tokens * strides.qkv);
      norm_sums = carver.take(2 * blocks * strides.x);
      head_norm_sums = carver.take(2 * batch.group_count * s.kv_heads * strides.head);
    }
    owns = memory ? memory + carver.used : nullptr;
    Carver counter(nullptr);
    Own(s, strides, backward, counter);
    own_size = counter.used;
    carver.used += threads * own_size;
  }

  int64_t size() const { return carver.used; }

  Own own(int thread) const {
    Carver mine(owns + thread * own_size);
    return Own(s, strides, keep != hir::NOTHING, mine);
  }

  // What layer `index` works on when it runs for the first time, or `again` before its backward.
  Activations layer(int64_t index, bool again) const {
    float *const in = x + (keep == hir::NOTHING ? 0 : index * tokens * strides.x);
    float *const out = keep == hir::NOTHING ? in : in + tokens * strides.x;
    const int64_t skip = keep == hir::EVERYTHING ? index * tokens : 0;
    Activations a = {in, qkv + skip * strides.qkv, mixed + skip * strides.query, nullptr, out, nullptr, out, nullptr};
    if (keys_values) a.keys_values = keys_values + index * tokens * 2 * s.key_size();
    if (keep == hir::EVERYTHING || again) {
      a.sums = sums + skip * s.heads;
      a.mid = mid + skip * strides.x;
      a.gate_up = gate_up + skip * strides.gate_up;
    }
    return a;
  }

  // Behind the last layer.
  float *last() const { return layer(s.layers - 1, false).out; }

  const DecoderShape &s;
  const Strides strides;
  const int64_t tokens, blocks;
  const hir::Keep keep;
  float *const keys_values;

  // Of the backward: gradients of a layer's output, of its input and of x behind attention; inputs of products; gradients
  // of products' outputs; sums of the norms' weights, of blocks of rows (input, mid) and of heads (query, key).
  float *flow = nullptr, *next_flow = nullptr, *mid_flow = nullptr;
  float *normed_input = nullptr, *normed_mid = nullptr, *activated = nullptr;
  float *gate_up_flow = nullptr, *mixed_flow = nullptr, *qkv_flow = nullptr;
  float *norm_sums = nullptr, *head_norm_sums = nullptr;

 private:
  Carver carver;
  float *x, *qkv, *mixed, *sums = nullptr, *mid = nullptr, *gate_up = nullptr, *owns;
  int64_t own_size;
};

}  // namespace
