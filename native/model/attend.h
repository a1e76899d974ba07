// Attention's parts, the same for packed sequences (attention.h) and for pages (decode.cpp): what a query or a key becomes
// before they meet, scores, weights, and what the weights mix.
//
// Keys and values lie in panels for the tiles of gemm.h: keys in panels of NR tokens, [head_dim][NR], values in panels of NR
// columns, [tokens][NR]. A query's sums go over its tokens in order of position, 16 or 8 chains for the softmax's (one a
// lane, of every 16th or 8th position), one for each column of what is mixed.
#pragma once

#include <string.h>

#include "blocks.h"
#include "gemm.h"
#include "model.h"

namespace {

using hir::LayerWeights;
using hir::ModelShape;

// A head's query, key or value before and after norm and rotation.
struct Heads {
  const hir::Model &model;
  const ModelShape &s;
  const int64_t dim;

  explicit Heads(const hir::Model &model) : model(model), s(model.shape), dim(s.head_dim) {}

  const float *cosines(int64_t position) const { return model.cosines + position * (dim / 2); }
  const float *sines(int64_t position) const { return model.sines + position * (dim / 2); }
  int64_t key_column(int64_t head) const { return s.query_size() + head * dim; }
  int64_t value_column(int64_t head) const { return key_column(head) + s.key_size(); }

  // The softmax's scale and its change to base 2, which go into the queries.
  float query_scale() const { return static_cast<float>(LOG2E / sqrt(static_cast<double>(dim))); }

  template <class T>
  void query(const LayerWeights &w, const T *x, int64_t position, float *out) const {
    prepare(x, w.query_norm, position, query_scale(), out);
  }

  // As it is kept: rounded to T.
  template <class T>
  void key(const LayerWeights &w, const T *x, int64_t position, T *out, float *scratch) const {
    prepare(x, w.key_norm, position, 1, scratch);
    convert(scratch, dim, out);
  }

  // Backward of query (without its scale) and key, in place of the gradient.
  template <class T>
  void back(const T *x, const float *norm, int64_t position, float *gradient, float *norm_gradient) const {
    rotate_back(gradient, cosines(position), sines(position), dim / 2);
    if (norm) rms_norm_backward(x, norm, gradient, nullptr, dim, s.norm_epsilon, gradient, norm_gradient);
  }

 private:
  template <class T>
  void prepare(const T *x, const float *norm, int64_t position, float scale, float *out) const {
    if (norm) {
      rms_norm(x, norm, dim, s.norm_epsilon, out);
    } else {
      convert(x, dim, out);
    }
    rotate(out, cosines(position), sines(position), dim / 2, scale);
  }
};

// out[i][t] = rows[i] . key t for m rows and tokens [0, tokens), whole panels; panel(t) is that of token t's panel.
template <class Panel>
static inline void score(const float *rows, int64_t pitch, int m, int64_t dim, int64_t tokens, const Panel &panel,
                         float *out, int64_t out_pitch) {
  const float *each[MR];
  for (int i = 0; i < m; i++) each[i] = rows + i * pitch;
  for (int64_t t = 0; t < tokens; t += NR) {
    const auto *start = panel(t);
    tile(m, each, dim, dim, [start](int64_t) { return start; }, [&](int i, Vec low, Vec high) {
      store(out + i * out_pitch + t, low);
      store(out + i * out_pitch + t + WIDTH, high);
    });
  }
}

// out[i] = sum over tokens [0, tokens) of weights[i][t] value t, for m rows; going on from what is there if `onto`.
// panel(s, d) is the s-th stretch of `length` tokens of the panel of columns from d on.
template <class Panel>
static inline void mix(const float *weights, int64_t pitch, int m, int64_t dim, int64_t tokens, int64_t length,
                       const Panel &panel, float *out, int64_t out_pitch, bool onto) {
  const float *each[MR];
  for (int i = 0; i < m; i++) each[i] = weights + i * pitch;
  for (int64_t d = 0; d < dim; d += NR) {
    float *const columns = out + d;
    tile(m, each, tokens, length, [&panel, d](int64_t stretch) { return panel(stretch, d); },
         [columns, out_pitch](int i, Vec low, Vec high) {
           store(columns + i * out_pitch, low);
           store(columns + i * out_pitch + WIDTH, high);
         },
         [columns, out_pitch, onto](int i, Vec *low, Vec *high) {
           *low = onto ? load(columns + i * out_pitch) : vec(0);
           *high = onto ? load(columns + i * out_pitch + WIDTH) : vec(0);
         });
  }
}

// What attention gives for one query: its mixed values over the sum of their weights.
template <class T>
static inline void finish_query(const float *mixed, float sum, int64_t dim, T *out) {
  const Vec scale = vec(1.0f / sum);
  for (int64_t d = 0; d < dim; d += WIDTH) store_some(out + d, dim - d, mul(load(mixed + d), scale));
}

}  // namespace
