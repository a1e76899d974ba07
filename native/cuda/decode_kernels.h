// The parts of a decode step between its matrix products, in the order in which the decoder (decoder.cu) starts them.
//
// Activations that a product reads are of the weights' type, the residual stream and what products write are float. Keys
// and values lie in pages of PAGE tokens, [layer][key-value head][key, value][PAGE][head_dim] of the weights' type; a row's
// pages are those that it shares with its prompt, then its own: a token's slot among them is its position (model/rows.h).
#pragma once

#include "call.h"
#include "model/shape.h"
#include "ops/attention/sight.h"
#include "simt.h"

namespace hir::HIR_DEVICE {

// For each row of a step: the position of the token that it appends; -1 if there is no row.
using Position = int32_t;

// A lane of the attention reads this many vectors of 16 bytes of keys, and as many of values.
constexpr int ATTEND_WARPS = 8, ATTEND_VECTORS = 8;

// Vectors of a key, rounded up to one of the attention's sizes.
template <class T>
int64_t key_vectors(const ModelShape &s) {
  int64_t vectors = 8;
  while (vectors * 16 < s.head_dim * static_cast<int64_t>(sizeof(T))) vectors *= 2;
  return vectors;
}

// Slots handled by one block of the attention, 32 KB of keys: fixed, so that a row's result does not depend on its batch.
template <class T>
int64_t split_slots(const ModelShape &s) {
  return ATTEND_WARPS * ATTEND_VECTORS * WARP / key_vectors<T>(s);
}

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
struct AttendArguments {
  ModelShape shape;
  int64_t layer, rows, splits;
  int64_t window;                           // tokens that one sees, itself included; 0 for all
  const float *qkv;                         // [rows][qkv_size]: without bias, norms and rotation
  const T *bias, *query_norm, *key_norm;    // null where a family has none
  const float *cosines, *sines;             // [positions][head_dim / 2]
  const Position *positions;
  T *const *pages;                          // [rows][page_stride]; the new tokens' keys and values are added
  int64_t page_stride;
  T *mixed;                                 // [rows][heads][head_dim]
  // Scratch memory, at whole vectors: [rows][heads][splits][head_dim + 2], unnormalised sums, then maxima and sums of
  // weights; and [rows][heads], zero before and after.
  float *partial;
  uint32_t *arrived;
  // Set by attend().
  float *ends = nullptr;
  float factor = 0;
  int32_t share = 0, groups = 0;
};

// out[row][o] = (accumulate: +) sum over i of x[row][i] w[o][i], with the norm before it and the gate after it.
template <class T>
struct LinearArguments {
  const T *w;
  T *x;        // [rows][inputs]; with a norm it is memory for what the norm gives, if that is written at all
  float *out;  // likewise with a gate
  int64_t rows, outputs, inputs, out_stride;
  bool accumulate;
  const float *residual;  // [rows][inputs], of which x is the RMS norm if there is a `norm`, its weight
  const T *norm;
  float epsilon;
  T *activated;  // or null. [rows][outputs / 2]: silu of the outputs' first half, times the second half
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
// From a layer's queries, keys and values to the values mixed by its attention.
template <class T>
void attend(Call &call, const AttendArguments<T> &a);

// Products of few rows (linear.cu): reading the weights takes all the time. A row's result does not depend on the
// others, nor on the device.
template <class T>
void linear(Call &call, const LinearArguments<T> &a);
// Its norm and its gate as kernels of their own, around a product by cuBLASLt; nothing if `a` has none.
template <class T>
void normalize(Call &call, const LinearArguments<T> &a);
template <class T>
void gate(Call &call, const LinearArguments<T> &a);

template <class T>
void store_prompt(Call &call, int64_t tokens, const StoreArguments<T> &a);

}  // namespace hir::HIR_DEVICE
