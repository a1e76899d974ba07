// Causal attention of a few queries that share a key-value head, forward and backward, in tiles.
//
// Keys and values lie in blocks of KEYS tokens, which may be anywhere: pages of a decoder, or contiguous for a packed
// sequence. Token t of a sequence is slot t % KEYS of its block t / KEYS. A query goes over its tokens in strips of
// STRIP blocks, counted from the sequence's start, with a running maximum: only one strip's scores are kept, and a
// query's result depends only on the tokens that it sees, not on other queries, so that a decoder's single query and
// the same query in a sequence give the same bits. Blocks that no query of a call sees are not read: with a sliding
// window the work of a query does not grow with its position. Products are those of matmul.h, with their chains. In bfloat16
// queries, keys, values, attention weights before their product with the values, and gradients of scores are rounded to
// bfloat16. The rest is float32.
//
// One thread carries out a call; calls are independent unless they write to the same memory.
#pragma once

#include "matmul/matmul.h"
#include "attention/sight.h"

namespace hir {

constexpr int64_t KEYS = 32;
constexpr int64_t STRIP = 16;  // blocks
constexpr int64_t MOST_QUERIES = 96;  // of a call

// The parts of a block, each Attention::part_bytes(): a decoder has the first two, a backward needs all.
enum class Part : int32_t { KEYS_ACROSS, VALUES_DOWN, KEYS_DOWN, VALUES_ACROSS };

// Queries of one key-value head.
struct Queries {
  int64_t count;
  // [count, head size] of the dtype, rows `pitch` elements apart: normed, rotated, and times Attention::query_scale().
  const void *queries;
  int64_t pitch;
  const Sight *sights;  // [count]
  const char *const *const *blocks;  // [count] where each one's blocks lie
  int64_t shared;  // the first blocks of all queries that are the same; whole ones
  int64_t block_offset;  // of the head's parts within a block
};

struct AttentionForward {
  Queries queries;
  void *const *out;  // [count] where each one's [head size] of the dtype goes
  float *const *sums;  // [count] where each one's logarithm to base 2 of the sum of its weights goes; may be null
};

// The queries are those of one sequence: `shared` is ignored, all have the blocks of the first.
struct AttentionBackward {
  Queries queries;
  const void *out_gradients;  // [count, head size] of the dtype, rows `pitch` elements apart, like the queries
  const float *sums;  // [count] of the forward
  const float *along;  // [count] out . out_gradient
  // Written: [count, head size] of the queries before scaling, rows gradient_pitch apart.
  float *query_gradients;
  // Added to: [tokens, head size], rows gradient_pitch apart, room for whole blocks: 1 / ln 2 times the keys', the values'.
  float *key_gradients, *value_gradients;
  int64_t gradient_pitch;  // head size rounded up to 32, or more
};

struct SoftmaxKernel;

class Attention {
 public:
  // HIR_OK or an error code.
  static int32_t of(const Matmul &matmul, int64_t head_size, Attention *out);

  int64_t part_bytes() const;
  // The softmax's scale, including the change to base 2.
  float query_scale() const;

  // Packs a block's part from `count` tokens' rows of the dtype; later slots become 0.
  void pack(Part part, const void *rows, int64_t pitch, int64_t count, void *block) const;
  // Packs one slot of KEYS_ACROSS or VALUES_DOWN. A block's memory must be zero before its first slot.
  void put(Part part, const void *row, int64_t slot, void *block) const;

  // False if scratch memory could not be allocated.
  bool forward(const AttentionForward &call) const;
  bool backward(const AttentionBackward &call) const;

 private:
  Matmul matmul;
  int64_t head_size = 0;
  const SoftmaxKernel *softmax = nullptr;
};

}  // namespace hir
