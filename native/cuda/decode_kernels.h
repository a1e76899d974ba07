// The parts of a decode step between its matrix products, in the order in which the decoder (decoder.cu) starts them.
//
// Activations that a product reads are of the weights' type, the residual stream and what products write are float. Keys
// and values lie in pages of PAGE tokens, [layer][key-value head][key, value][PAGE][head_dim] of the weights' type; a row's
// pages are those that it shares with its prompt, then its own: a token's slot among them is its position (model/rows.h).
#pragma once

#include "call.h"
#include "model/shape.h"
#include "simt.h"

namespace hir::HIR_DEVICE {

// For each row of a step: the position of the token that it appends; -1 if there is no row.
using Position = int32_t;

// Slots handled by one block of the attention: fixed, so that a row's result does not depend on its batch.
constexpr int SPLIT = 256;
inline int64_t splits_for(int64_t slots) { return (slots + SPLIT - 1) / SPLIT; }

// Start of a token's key (or value) in its page.
template <class T>
HIR_GPU T *cell(const ModelShape &s, T *page, int64_t layer, int64_t head, bool value, int64_t slot) {
  return page + (((layer * s.kv_heads + head) * 2 + value) * PAGE + slot % PAGE) * s.head_dim;
}

template <class T>
struct EmbedArguments {
  const T *embedding;
  const int64_t *tokens;
  const int32_t *sources;  // of each row: its place among the drawn, or -1: its token is given
  const int64_t *drawn;
  const Position *positions;
  float *x;
  int64_t hidden, vocab;
  uint64_t *faults;
};

template <class T>
struct PrepareArguments {
  ModelShape shape;
  int64_t layer;
  float *qkv;
  const T *bias, *query_norm, *key_norm;  // null where a family has none
  const float *cosines, *sines;
  const Position *positions;
  T *const *pages;  // [rows][page_stride]
  int64_t page_stride;
};

template <class T>
struct AttendArguments {
  ModelShape shape;
  int64_t layer, splits;
  const float *qkv;
  const Position *positions;
  T *const *pages;
  int64_t page_stride;
  float *partial;  // [rows][heads][splits][head_dim + 2]: unnormalised sums, then maximum and sum of weights
};

template <class T>
struct CombineArguments {
  ModelShape shape;
  int64_t splits;
  const Position *positions;
  const float *partial;
  T *mixed;
};

template <class T>
struct GateArguments {
  const float *gate_up;
  T *out;
  int64_t intermediate;
};

// out[row][o] = (accumulate: +) sum over i of x[row][i] w[o][i]
template <class T>
struct LinearArguments {
  const T *w, *x;
  float *out;
  int64_t rows, outputs, inputs, out_stride;
  bool accumulate;
};

template <class T>
struct StoreArguments {
  ModelShape shape;
  const void *keys, *values;
  bool low_precision;  // the keys and values are bfloat16
  int64_t layer_stride, token_stride;
  T *const *pages;
};

template <class T>
void embed(Call &call, int64_t rows, const EmbedArguments<T> &a);
template <class T>
void prepare(Call &call, int64_t rows, const PrepareArguments<T> &a);
template <class T>
void attend(Call &call, int64_t rows, const AttendArguments<T> &a, const CombineArguments<T> &c);
template <class T>
void gate(Call &call, int64_t rows, const GateArguments<T> &a);
template <class T>
void linear(Call &call, const LinearArguments<T> &a);
template <class T>
void store_prompt(Call &call, int64_t tokens, const StoreArguments<T> &a);

}  // namespace hir::HIR_DEVICE
