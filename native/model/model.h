// A transformer over packed sequences, forward and backward, and one token at a time: the types that bookkeeping
// (model.cpp and decoder.cpp, compiled once) and arithmetic (pass.cpp and decode.cpp, compiled per instruction set)
// share.
//
// Products are those of ops/matmul. Their operands have the model's type: weights, normed rows, the output of
// attention, activated gates, and the gradients of what products write. The residual stream, norms, rotations, softmax
// and all sums are float. In bfloat16, a product's queries, keys, values, gates and ups are rounded once, after the
// sum; queries and keys again after their rotation; attention weights before they multiply the values. What is kept for
// a backward pass or for decoding is what the forward pass used.
//
// A token's numbers depend only on its own sequence, bit for bit. Every sum in a product, norm or attention runs over
// its dimension (or the sequence's positions) in one order, whatever the other rows and the number of threads, and
// whether the token is part of a packed batch or decoded.
#pragma once

#include "frozen.h"
#include "ops/matmul/matmul.h"
#include "shape.h"

namespace hir {

// A matrix packed for x W^T. `weight` has its sizes and, for the baseline, which does not pack, its address. `adapter`
// is null if the backward pass has none to train.
struct Linear {
  Weight weight;
  void *packed;
  const LowRank *adapter;
};

// Norms and biases are float copies; null if the family has none.
struct LayerWeights {
  const float *input_norm, *qkv_bias, *query_norm, *key_norm, *post_norm;
  Linear qkv, output, gate_up, down;
  int64_t window;  // tokens that one sees, itself included; 0 for all before it
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

// A segment that continues no other, and then those that continue it.
struct Group {
  const Segment *segments;
  int64_t count;
};

// What a forward pass keeps for its backward pass.
enum Keep { NOTHING, EVERYTHING, INPUTS };

struct Batch {
  const int64_t *ids;  // [tokens]
  int64_t tokens;
  const Group *groups;
  int64_t group_count;
  int64_t longest;  // tokens of the longest sequence, including what it continues
  Keep keep;
  void *keys_values;  // [layers][tokens][2 key_size] of the model's type, written; may be null
};

// Where gradients are added, all float; null where a weight is absent or frozen.
struct Gradients {
  WeightTable<float *> table;
  const LayerTable<float *> *layers;
};

// One pass. Its memory has Backend::pass_bytes, and must stay unchanged between forward and backward.
struct Pass {
  const Model *model;
  const Batch *batch;
  int32_t threads;
  void *memory;
};

// --- one token at a time
//
// Keys and values of all layers are in pages of PAGE tokens; a token's position determines its slot. All rows that
// continue a prompt share its full pages. Behind them each row has its own pages, and the first of those begins with a
// copy of the prompt's remaining tokens.

struct DecoderRow {
  int64_t token;
  const void *const *shared;  // pages, all full
  int64_t shared_length;      // tokens in them
  void *const *own;           // pages, with room for one more token
  int64_t own_length;         // tokens in them so far
  int64_t place;              // row of the logits

  int64_t position() const { return shared_length + own_length; }
};

// One step. Its scratch has Backend::decode_bytes.
struct DecoderStep {
  const Model *model;
  const DecoderRow *rows;  // rows of one prompt side by side
  int64_t count;
  int32_t threads;
  int64_t longest;  // tokens of the longest row, including the new one
  void *scratch;
  float *logits;  // [count][logits_stride], written
  int64_t logits_stride;
};

// The head over rows [count][hidden] of the model's type. Its scratch has Backend::head_bytes.
struct HeadRows {
  const Model *model;
  const void *hidden;
  int64_t count;
  float *logits;  // [count][stride], or their gradient
  int64_t stride;
  void *scratch;
};

}  // namespace hir
