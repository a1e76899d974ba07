// The decode step in plain double precision, row by row.
#include <math.h>
#include <omp.h>
#include <string.h>

#include "baseline/reference.h"
#include "kernels.h"
#include "ops/attention/sight.h"

namespace hir::baseline {

namespace {

// Of each layer and key-value head PAGE keys, then PAGE values.
float *cell(const ModelShape &s, void *page, int64_t layer, int64_t head, bool value, int64_t slot) {
  return static_cast<float *>(page) + (((layer * s.kv_heads + head) * 2 + value) * PAGE + slot) * s.head_dim;
}

struct Walk {
  const Model &model;
  const ModelShape &s;
  const DecoderRow &row;
  double *x, *normed, *qkv, *mixed, *activated, *scores;

  Walk(const Model &model, const DecoderRow &row, double *scratch)
      : model(model), s(model.shape), row(row), x(scratch), normed(x + s.hidden), qkv(normed + s.hidden),
        mixed(qkv + s.qkv_size()), activated(mixed + s.query_size()), scores(activated + 2 * s.intermediate) {}

  static int64_t doubles(const ModelShape &s, int64_t longest) {
    return 2 * s.hidden + s.qkv_size() + s.query_size() + 2 * s.intermediate + longest;
  }

  double dot(const Linear &w, int64_t out, const double *in) const {
    double sum = 0;
    for (int64_t i = 0; i < w.weight.k; i++) sum += element(w.weight.data, s.dtype, out * w.weight.stride + i) * in[i];
    return sum;
  }

  void norm(const double *in, const float *weight, int64_t n, double *out) const {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += in[i] * in[i];
    const double scale = 1 / sqrt(sum / n + s.norm_epsilon);
    for (int64_t i = 0; i < n; i++) out[i] = in[i] * scale * weight[i];
  }

  void rotate(double *head) const {
    const int64_t half = s.head_dim / 2;
    for (int64_t i = 0; i < half; i++) {
      const double c = model.cosines[row.position() * half + i], n = model.sines[row.position() * half + i];
      const double low = head[i], high = head[i + half];
      head[i] = low * c - high * n;
      head[i + half] = high * c + low * n;
    }
  }

  const float *cached(int64_t layer, int64_t head, bool value, int64_t token) const {
    const bool shared = token < row.shared_length;
    const int64_t at = shared ? token : token - row.shared_length;
    const void *page = shared ? row.shared[at / PAGE] : row.own[at / PAGE];
    return cell(s, const_cast<void *>(page), layer, head, value, at % PAGE);
  }

  void attend(int64_t layer, int64_t head) const {
    const Sight seen = Sight::of(model.layers[layer].window, row.position());
    const int64_t kv = head / (s.heads / s.kv_heads);
    const double *query = qkv + head * s.head_dim;
    double top = -INFINITY, sum = 0;
    for (int64_t t = seen.from; t < seen.to; t++) {
      const float *key = cached(layer, kv, false, t);
      scores[t] = 0;
      for (int64_t d = 0; d < s.head_dim; d++) scores[t] += query[d] * key[d];
      scores[t] /= sqrt(static_cast<double>(s.head_dim));
      if (scores[t] > top) top = scores[t];
    }
    double *out = mixed + head * s.head_dim;
    for (int64_t d = 0; d < s.head_dim; d++) out[d] = 0;
    for (int64_t t = seen.from; t < seen.to; t++) {
      const double weight = exp(scores[t] - top);
      const float *value = cached(layer, kv, true, t);
      for (int64_t d = 0; d < s.head_dim; d++) out[d] += weight * value[d];
      sum += weight;
    }
    for (int64_t d = 0; d < s.head_dim; d++) out[d] /= sum;
  }

  void layer(int64_t index) const {
    const LayerWeights &w = model.layers[index];
    norm(x, w.input_norm, s.hidden, normed);
    for (int64_t i = 0; i < s.qkv_size(); i++) qkv[i] = dot(w.qkv, i, normed) + (w.qkv_bias ? w.qkv_bias[i] : 0);
    for (int64_t head = 0; head < s.heads + s.kv_heads; head++) {
      double *start = qkv + head * s.head_dim;
      const float *weight = head < s.heads ? w.query_norm : w.key_norm;
      if (weight) norm(start, weight, s.head_dim, start);
      rotate(start);
    }
    for (int64_t head = 0; head < s.kv_heads; head++) {
      void *page = row.own[row.own_length / PAGE];
      const double *key = qkv + s.query_size() + head * s.head_dim, *value = key + s.key_size();
      for (int64_t d = 0; d < s.head_dim; d++) {
        cell(s, page, index, head, false, row.own_length % PAGE)[d] = static_cast<float>(key[d]);
        cell(s, page, index, head, true, row.own_length % PAGE)[d] = static_cast<float>(value[d]);
      }
    }
    for (int64_t head = 0; head < s.heads; head++) attend(index, head);
    for (int64_t i = 0; i < s.hidden; i++) x[i] += dot(w.output, i, mixed);
    norm(x, w.post_norm, s.hidden, normed);
    for (int64_t i = 0; i < 2 * s.intermediate; i++) activated[i] = dot(w.gate_up, i, normed);
    for (int64_t i = 0; i < s.intermediate; i++) {
      activated[i] = activated[i] / (1 + exp(-activated[i])) * activated[s.intermediate + i];
    }
    for (int64_t i = 0; i < s.hidden; i++) x[i] += dot(w.down, i, activated);
  }

  void run(float *logits) const {
    for (int64_t i = 0; i < s.hidden; i++)
      x[i] = element(reinterpret_cast<const void *>(model.embedding.matrix.data), s.dtype, row.token * s.hidden + i);
    for (int64_t i = 0; i < s.layers; i++) layer(i);
    norm(x, model.final_norm, s.hidden, normed);
    for (int64_t i = 0; i < s.vocab; i++) logits[i] = static_cast<float>(dot(model.head, i, normed));
  }
};

}  // namespace

int64_t page_bytes(const Model &model) {
  const ModelShape &s = model.shape;
  return 4 * s.layers * s.kv_heads * 2 * PAGE * s.head_dim;
}

void page_put(const Model &model, void *page, int64_t slot, int64_t layer, int64_t head, const void *key,
              const void *value) {
  const ModelShape &s = model.shape;
  for (int64_t d = 0; d < s.head_dim; d++) {
    cell(s, page, layer, head, false, slot)[d] = static_cast<float>(element(key, s.dtype, d));
    cell(s, page, layer, head, true, slot)[d] = static_cast<float>(element(value, s.dtype, d));
  }
}

int64_t decode_bytes(const ModelShape &s, int64_t, int32_t threads, int64_t longest) {
  return 8 * threads * Walk::doubles(s, longest);
}

bool decode(const DecoderStep &step) {
  const int64_t doubles = Walk::doubles(step.model->shape, step.longest);
#pragma omp parallel num_threads(step.threads)
  {
    double *scratch = static_cast<double *>(step.scratch) + omp_get_thread_num() * doubles;
#pragma omp for schedule(static)
    for (int64_t row = 0; row < step.count; row++)
      Walk(*step.model, step.rows[row], scratch).run(step.logits + step.rows[row].place * step.logits_stride);
  }
  return true;
}

}  // namespace hir::baseline
