#include "reference.h"

#include <math.h>

namespace model_test {

static std::vector<double> norm(const double *x, const std::vector<double> &weight, int64_t n) {
  double squares = 0;
  for (int64_t i = 0; i < n; i++) squares += x[i] * x[i];
  std::vector<double> out(n);
  for (int64_t i = 0; i < n; i++) out[i] = x[i] / sqrt(squares / static_cast<double>(n) + EPSILON) * weight[i];
  return out;
}

static Rows multiply(const Rows &x, const std::vector<double> &w, int64_t out) {
  Rows product(x.size(), std::vector<double>(out));
  for (size_t t = 0; t < x.size(); t++) {
    for (int64_t o = 0; o < out; o++) {
      for (size_t i = 0; i < x[t].size(); i++) product[t][o] += x[t][i] * w[o * x[t].size() + i];
    }
  }
  return product;
}

static Rows norm_all(const Rows &x, const std::vector<double> &w) {
  Rows out;
  for (const auto &row : x) out.push_back(norm(row.data(), w, static_cast<int64_t>(row.size())));
  return out;
}

Rows reference(const Model &m, const Weights &w, const std::vector<int64_t> &ids, std::vector<Rows> *cached) {
  const Shape &s = m.s;
  const int64_t dim = s.head_dim, half = dim / 2, tokens = ids.size();
  Rows x;
  for (int64_t id : ids) x.emplace_back(w[0].begin() + id * s.hidden, w[0].begin() + (id + 1) * s.hidden);
  for (int64_t l = 0; l < s.layers; l++) {
    const std::vector<double> *layer = &w[3 + 9 * l];
    Rows qkv = multiply(norm_all(x, layer[0]), layer[1], s.qkv());
    for (int64_t t = 0; t < tokens; t++) {
      for (size_t i = 0; i < layer[2].size(); i++) qkv[t][i] += layer[2][i];
      for (int64_t h = 0; h < s.heads + s.kv_heads; h++) {
        double *head = &qkv[t][h * dim];
        const std::vector<double> &weight = layer[h < s.heads ? 3 : 4];
        const std::vector<double> normed = weight.empty() ? std::vector<double>(head, head + dim) : norm(head, weight, dim);
        for (int64_t i = 0; i < half; i++) {
          const double c = m.cosines[t * half + i], r = m.sines[t * half + i];
          head[i] = normed[i] * c - normed[half + i] * r;
          head[half + i] = normed[half + i] * c + normed[i] * r;
        }
      }
    }
    if (cached) {
      cached->emplace_back();
      for (const auto &row : qkv) cached->back().emplace_back(row.begin() + s.heads * dim, row.end());
    }
    Rows mixed(tokens, std::vector<double>(s.heads * dim));
    const int64_t window = s.windows.empty() || s.windows[l] == 0 ? tokens : s.windows[l];
    for (int64_t t = 0; t < tokens; t++) {
      for (int64_t h = 0; h < s.heads; h++) {
        const int64_t key = (s.heads + h / (s.heads / s.kv_heads)) * dim, value = key + s.kv_heads * dim;
        std::vector<double> weights(t + 1);
        double sum = 0;
        for (int64_t u = 0; u <= t; u++) {
          if (u <= t - window) continue;
          double score = 0;
          for (int64_t i = 0; i < dim; i++) score += qkv[t][h * dim + i] * qkv[u][key + i];
          sum += weights[u] = exp(score / sqrt(static_cast<double>(dim)));
        }
        for (int64_t u = 0; u <= t; u++) {
          for (int64_t i = 0; i < dim; i++) mixed[t][h * dim + i] += weights[u] / sum * qkv[u][value + i];
        }
      }
    }
    const Rows out = multiply(mixed, layer[5], s.hidden);
    for (int64_t t = 0; t < tokens; t++) {
      for (int64_t i = 0; i < s.hidden; i++) x[t][i] += out[t][i];
    }
    Rows gates = multiply(norm_all(x, layer[6]), layer[7], 2 * s.intermediate);
    for (auto &row : gates) {
      for (int64_t i = 0; i < s.intermediate; i++) row[i] *= row[s.intermediate + i] / (1 + exp(-row[i]));
      row.resize(s.intermediate);
    }
    const Rows down = multiply(gates, layer[8], s.hidden);
    for (int64_t t = 0; t < tokens; t++) {
      for (int64_t i = 0; i < s.hidden; i++) x[t][i] += down[t][i];
    }
  }
  return norm_all(x, w[1]);
}

std::vector<int64_t> sequence(const Batch &batch, size_t index) {
  const Cut &cut = batch.cut;
  const std::vector<int64_t> &ids = batch.ids;
  std::vector<int64_t> starts(1, 0);
  for (int64_t length : cut.lengths) starts.push_back(starts.back() + length);
  std::vector<int64_t> tokens;
  const int64_t prefix = cut.prefixes[index];
  if (prefix >= 0) tokens.assign(ids.begin() + starts[prefix], ids.begin() + starts[prefix + 1]);
  tokens.insert(tokens.end(), ids.begin() + starts[index], ids.begin() + starts[index + 1]);
  return tokens;
}

double reference(const Model &m, const Weights &w, const Batch &batch, std::vector<double> *hidden) {
  double sum = 0;
  size_t at = 0;
  for (size_t i = 0; i < batch.cut.lengths.size(); i++) {
    const Rows rows = reference(m, w, sequence(batch, i));
    for (size_t t = rows.size() - batch.cut.lengths[i]; t < rows.size(); t++) {
      for (double value : rows[t]) {
        if (hidden) hidden->push_back(value);
        sum += value * batch.flow[at++];
      }
    }
  }
  return sum;
}

}  // namespace model_test
