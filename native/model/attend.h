// What a query sees, and what is done to queries and keys before their product, the same for packed sequences (attention.h)
// and for pages (decode.cpp).
#pragma once

#include <string.h>

#include "blocks.h"
#include "model.h"
#include "ops/attention/attention.h"

namespace {

using hir::LayerWeights;
using hir::ModelShape;

// A head's query, key or value before and after norm and rotation.
struct Heads {
  const hir::Model &model;
  const ModelShape &s;
  const int64_t dim;

  hir::Attention attention;

  explicit Heads(const hir::Model &model) : model(model), s(model.shape), dim(s.head_dim) {
    hir::Attention::of(model.matmul, dim, &attention);
  }

  const float *cosines(int64_t position) const { return model.cosines + position * (dim / 2); }
  const float *sines(int64_t position) const { return model.sines + position * (dim / 2); }
  int64_t key_column(int64_t head) const { return s.query_size() + head * dim; }
  int64_t value_column(int64_t head) const { return key_column(head) + s.key_size(); }

  // What a layer's token sees.
  static hir::Sight sight(const LayerWeights &w, int64_t position) { return hir::Sight::of(w.window, position); }

  // Rounded to T, with the softmax's scale; scratch is a row of a head.
  template <class T>
  void query(const LayerWeights &w, const T *x, int64_t position, T *out, float *scratch) const {
    prepare(x, w.query_norm, position, attention.query_scale(), scratch);
    convert(scratch, dim, out);
  }

  // As stored: rounded to T.
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

}  // namespace
