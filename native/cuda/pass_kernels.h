// The operations of a packed pass on a GPU, each in its folder of ops/; model.cu starts them in the program's order.
//
// Rows lie `pitch` elements apart. What products read and write, queries, keys and values are of the model's type T;
// the residual stream, its gradients and all sums are float. Every sum is taken in a fixed order on any device: no
// atomics.
#pragma once

#include <initializer_list>

#include "call.h"
#include "model/shape.h"
#include "ops/attention/sight.h"
#include "simt.h"

namespace hir::HIR_DEVICE {

HIR_GPU void put(bf16 *to, float x) { from_float(x, to); }
HIR_GPU void put(float *to, float x) { *to = x; }

// --- ops/norm

// out[row] = weight x[row] / rms(x[row])
template <class T>
struct NormArguments {
  const float *x;
  int64_t x_pitch;
  const T *weight;
  T *out;
  int64_t out_pitch, columns;
  float epsilon;
};

// Its gradient: out = onto (may be null) + the input's gradient, and `low` the same as products read it; the weight's
// gradient as one row of sums for each part of the rows. Parts are few enough to run at the same time on a large GPU, and
// there are at least 8 rows in each.
HIR_SHARED inline int64_t norm_part_rows(int64_t rows) { return rows > 8 * 768 ? (rows + 767) / 768 : 8; }
inline int64_t norm_parts(int64_t rows) { return (rows + norm_part_rows(rows) - 1) / norm_part_rows(rows); }

template <class T>
struct NormBackArguments {
  const float *x;
  int64_t x_pitch;
  const T *weight;
  const float *gradient;
  int64_t gradient_pitch;
  const float *onto;
  float *out;
  T *low;
  int64_t low_pitch, rows, columns;
  float epsilon;
  float *parts;  // [norm_parts(rows)][columns]
};

// to[c] += the sum over all parts, in a fixed order; nothing where there is no `to`.
struct AddPartsArguments {
  const float *parts;
  int64_t count, stride, columns;
  float *to;
};

// One row of sums for every COLUMN_ROWS rows.
constexpr int64_t COLUMN_ROWS = 128;
inline int64_t column_parts(int64_t rows) { return (rows + COLUMN_ROWS - 1) / COLUMN_ROWS; }

template <class T>
struct ColumnSumArguments {
  const T *x;
  int64_t x_pitch, rows, columns;
  float *parts;  // [column_parts(rows)][columns]
};

// Rows of floats in the other type.
template <class T>
struct ConvertArguments {
  const float *x;
  int64_t x_pitch;
  T *out;
  int64_t out_pitch, columns;
};

template <class T>
void norm_rows(Call &call, int64_t rows, const NormArguments<T> &a);
template <class T>
void norm_rows_back(Call &call, const NormBackArguments<T> &a);
template <class T>
void sum_columns(Call &call, const ColumnSumArguments<T> &a);
template <class T>
void convert_rows(Call &call, int64_t rows, const ConvertArguments<T> &a);
// At most MOST_PARTS of them.
constexpr int MOST_PARTS = 4;
void add_parts(Call &call, std::initializer_list<AddPartsArguments> all);

// --- ops/heads

// The positions of a batch's tokens. A token's keys and values have one slot in every sequence that sees it: its own
// segment's, and those of the segments that continue it.
struct Positions {
  const int32_t *position;     // [tokens]
  const int32_t *slot_starts;  // [tokens + 1], into slots
  const int32_t *slots;
};

// Bias, norm and rotation of queries and keys.
template <class T>
struct HeadsArguments {
  ModelShape shape;
  const T *qkv;  // [tokens], as the product has written it
  int64_t qkv_pitch;
  const T *bias, *query_norm, *key_norm;  // null where a family has none
  const float *cosines, *sines;
  Positions at;
  int64_t tokens;
  T *queries;  // [tokens]
  int64_t query_pitch;
  T *keys, *values;  // [slots][key_size]
  T *keys_values;    // [tokens][2 key_size], from a 16-byte boundary on, or null
};

// One row of sums of the head norms' weights for every HEAD_TOKENS tokens.
constexpr int64_t HEAD_TOKENS = 8;
inline int64_t head_parts(int64_t tokens) { return (tokens + HEAD_TOKENS - 1) / HEAD_TOKENS; }

template <class T>
struct HeadsBackArguments {
  HeadsArguments<T> forward;  // queries, keys and values hold their gradients; those of all slots of a token are added up
  T *qkv_flow;                // [tokens], of qkv's pitch, written
  float *parts;               // [head_parts(tokens)][2 head_dim]: queries' and keys'; null without norms
};

template <class T>
void rotate_heads(Call &call, const HeadsArguments<T> &a);
template <class T>
void rotate_heads_back(Call &call, const HeadsBackArguments<T> &a);

// --- ops/gate

// From gates and ups, [rows][2 columns], the activated ones.
template <class T>
struct GateRowsArguments {
  T *factors;
  int64_t factor_pitch, rows, columns;
  T *activated;  // [rows]: written, or (backward) their gradient, over which they are written again
  int64_t activated_pitch;
};

template <class T>
void gate_rows(Call &call, const GateRowsArguments<T> &a);
// gates and ups become their gradients.
template <class T>
void gate_rows_back(Call &call, const GateRowsArguments<T> &a);

// --- ops/embedding

template <class T>
struct GatherArguments {
  const T *table;
  const int64_t *ids;
  float *x;
  int64_t x_pitch, columns;
};

// Rows sorted by token: distinct[i]'s are rows[starts[i]] to rows[starts[i + 1] - 1], in the batch's order.
struct ScatterArguments {
  const int64_t *distinct;
  const int32_t *starts, *rows;
  const float *flow;
  int64_t flow_pitch, columns;
  float *gradient;  // [vocab][columns], added to
};

template <class T>
void gather_rows(Call &call, int64_t rows, const GatherArguments<T> &a);
void scatter_rows(Call &call, int64_t distinct, const ScatterArguments &a);

// --- ops/attention

// Concatenated sequences of queries, aligned to the end of their keys: query i of `queries` sees the first keys -
// queries + 1 + i keys of its sequence, and through a window the last `window` of them (0 is no window). Plain kernels, for
// what LibTorch's flash attention (flash.h) does not support.
template <class T>
struct PackedAttentionArguments {
  int64_t tokens, slots, heads, kv_heads, head_dim, window;
  const int32_t *query_starts, *key_starts;          // [sequences + 1]
  const int32_t *token_sequence, *slot_sequence;     // [tokens], [slots]
  const T *queries;                                  // [tokens][heads][head_dim]
  int64_t query_pitch;
  const T *keys, *values;                            // [slots][kv_heads][head_dim]
  T *mixed;                                          // as queries: written, or (backward) read
  float *sums;                                       // [heads][tokens]: logarithms of the softmax's sums
};

template <class T>
struct PackedAttentionBackArguments {
  PackedAttentionArguments<T> forward;
  const T *mixed_flow;                       // as mixed
  float *along;                              // [heads][tokens], scratch
  T *query_flow, *key_flow, *value_flow;     // as queries, keys, values: written
};

template <class T>
void attend_packed(Call &call, const PackedAttentionArguments<T> &a);
template <class T>
void attend_packed_back(Call &call, const PackedAttentionBackArguments<T> &a);

}  // namespace hir::HIR_DEVICE
