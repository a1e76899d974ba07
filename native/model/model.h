// A transformer over packed sequences, forward and backward, and one token at a time: what its bookkeeping (model.cpp,
// decoder.cpp, compiled once) and its arithmetic (pass.cpp and decode.cpp, compiled per instruction set) share.
//
// Products are of ops/matmul. Their operands (weights, normed rows, what attention has mixed, activated gates, and the
// gradients of what products write) are of the model's type; the residual stream, norms, rotations, softmax and all sums
// are float. In bfloat16 queries, keys and values, gates and ups are rounded once, when a product has summed them up, and
// rotated queries and keys once more, attention's weights on their way to the values: what is kept for a backward or for
// decoding is what the forward has used.
//
// A token's numbers depend on its sequence alone, bit for bit: every sum, of products, norms and attention, goes over its
// dimension (or the sequence's positions) in one order, whatever the rows beside it, the threads, and whether the token is
// one of a packed batch or is being decoded.
#pragma once

#include "frozen.h"
#include "ops/matmul/matmul.h"
#include "shape.h"

namespace hir {

// A matrix packed for x W^T; its sizes, and for the baseline, which does not pack, where it lies. `adapter` is null where a
// backward has none to train.
struct Linear {
  Weight weight;
  void *packed;
  const LowRank *adapter;
};

// Norms and biases are float copies; null where a family has none.
struct LayerWeights {
  const float *input_norm, *qkv_bias, *query_norm, *key_norm, *post_norm;
  Linear qkv, output, gate_up, down;
};

struct Model {
  ModelShape shape;
  Matmul matmul;
  Frozen embedding;  // the caller's, [vocab, hidden]
  const float *final_norm;
  Linear head;
  const LayerWeights *layers;
  const float *cosines, *sines;  // [positions, head_dim / 2]
};

// --- packed sequences

// Tokens [start, start + length) of a batch, at positions from `position` on.
struct Segment {
  int64_t start, length, position;
};

// A segment that continues none, followed by those that continue it.
struct Group {
  const Segment *segments;
  int64_t count;
};

// What a forward pass leaves behind.
enum Keep { NOTHING, EVERYTHING, INPUTS };

struct Batch {
  const int64_t *ids;  // [tokens]
  int64_t tokens;
  const Group *groups;
  int64_t group_count;
  int64_t longest;  // tokens of the longest sequence, what it continues counted
  Keep keep;
  void *keys_values;  // [layers][tokens][2 key_size] of the model's type, written; may be null
};

// Where gradients are added, all float; null where there is no such weight, or it is frozen.
struct Gradients {
  WeightTable<float *> table;
  const LayerTable<float *> *layers;
};

// One pass; memory is sized by Backend::pass_bytes and holds from the forward to its backward.
struct Pass {
  const Model *model;
  const Batch *batch;
  int32_t threads;
  void *memory;
};

// --- one token at a time
//
// Keys and values lie in pages of PAGE tokens over all layers, a token's place by its position. The full pages of a prompt
// are stored once and shared by all rows that continue it; after them each row has its own pages, of which the first
// begins with a copy of the prompt's last tokens.

struct DecoderRow {
  int64_t token;
  const void *const *shared;  // pages, all full
  int64_t shared_length;      // tokens in them
  void *const *own;           // pages; room for one more token
  int64_t own_length;         // tokens in them so far
  int64_t place;              // row of the logits

  int64_t position() const { return shared_length + own_length; }
};

// Scratch of one step is sized by Backend::decode_bytes.
struct DecoderStep {
  const Model *model;
  const DecoderRow *rows;  // those of one prompt next to each other
  int64_t count;
  int32_t threads;
  int64_t longest;  // tokens of the longest row, the new one included
  void *scratch;
  float *logits;  // [count][logits_stride], written
  int64_t logits_stride;
};

// The head over rows [count][hidden] of the model's type. Scratch is sized by Backend::head_bytes.
struct HeadRows {
  const Model *model;
  const void *hidden;
  int64_t count;
  float *logits;  // [count][stride], or their gradient
  int64_t stride;
  void *scratch;
};

}  // namespace hir
