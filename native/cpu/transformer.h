// A transformer over packed sequences, forward and backward: what its bookkeeping (transformer.cpp, compiled once) and
// its arithmetic (forward.cpp and backward.cpp, compiled per instruction set) share.
#pragma once

#include "decoder.h"

namespace hir {

// Tokens [start, start + length) of a batch, at positions from `position` on.
struct Segment {
  int64_t start, length, position;
};

// A segment that continues none, and behind it those that continue it.
struct Group {
  const Segment *segments;
  int64_t count;
};

// A matrix [out, in] packed for both products, x W^T and y W.
struct BothWays {
  Packed forth, back;
};

struct TransformerLayer {
  const float *input_norm, *qkv_bias, *query_norm, *key_norm, *post_norm;  // the caller's; null where there is none
  BothWays qkv, output, gate_up, down;
};

struct Transformer {
  DecoderShape shape;
  const float *embedding, *final_norm, *head;  // the caller's
  TransformerLayer *layers;
  const float *cosines, *sines;  // [positions, head_dim / 2]
};

// The head's weights [vocab, hidden], the caller's, and scratch memory of Backend::head_scratch.
struct Head {
  const float *weights;
  int64_t vocab, hidden;
  float *scratch;
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
  float *keys_values;  // [layers][tokens][2 key_size], written; may be null
};

// Where gradients are added; null where there is no such weight.
struct LayerGradients {
  float *input_norm, *qkv, *qkv_bias, *query_norm, *key_norm, *output, *post_norm, *gate_up, *down;
};

struct Gradients {
  float *embedding, *final_norm;
  const LayerGradients *layers;
};

// One pass; memory is sized by Backend::pass_size and holds from the forward to its backward.
struct Pass {
  const Transformer *model;
  const Batch *batch;
  int32_t threads;
  float *memory;
};

}  // namespace hir
