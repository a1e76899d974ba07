// A decoder-only transformer of the Qwen3, Qwen2 or Llama kind: its sizes, and the order of its weights.
#pragma once

#include <stdint.h>
#include <string.h>

#include "portable.h"

namespace hir {

// Tokens of a page of keys and values.
constexpr int64_t PAGE = 32;

struct ModelShape {
  int64_t layers, hidden, intermediate, heads, kv_heads, head_dim, vocab;
  float norm_epsilon;
  int32_t dtype;  // of weights and activations, HIR_FLOAT32 or HIR_BFLOAT16

  HIR_SHARED int64_t query_size() const { return heads * head_dim; }
  HIR_SHARED int64_t key_size() const { return kv_heads * head_dim; }
  HIR_SHARED int64_t qkv_size() const { return query_size() + 2 * key_size(); }
};

// Addresses of the weights (or their gradients), in the order of the C ABI; null if a family has none.
template <class P>
struct LayerTable {
  P input_norm;   // [hidden]
  P qkv;          // [qkv_size, hidden]: queries, keys, values
  P qkv_bias;     // [qkv_size]
  P query_norm;   // [head_dim]
  P key_norm;     // [head_dim]
  P output;       // [hidden, query_size]
  P post_norm;    // [hidden]
  P gate_up;      // [2 intermediate, hidden]: gates, ups
  P down;         // [hidden, intermediate]
};

template <class P>
struct WeightTable {
  P embedding;    // [vocab, hidden]
  P final_norm;   // [hidden]
  P head;         // [vocab, hidden]
};

// The layout of `addresses`: a WeightTable, then a LayerTable per layer.
template <class P>
void read_table(const int64_t *addresses, int64_t layers, WeightTable<P> *table, LayerTable<P> *layer_tables) {
  static_assert(sizeof(WeightTable<P>) == 3 * sizeof(int64_t) && sizeof(LayerTable<P>) == 9 * sizeof(int64_t));
  memcpy(static_cast<void *>(table), addresses, sizeof *table);
  memcpy(static_cast<void *>(layer_tables), addresses + 3, sizeof *layer_tables * static_cast<size_t>(layers));
}

// Addresses in all.
constexpr int64_t table_size(int64_t layers) { return 3 + 9 * layers; }

}  // namespace hir
