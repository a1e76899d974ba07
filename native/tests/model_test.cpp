// Native checks of a model: hidden states against a model in doubles with plain loops, gradients against the differences of
// that model's, on awkward shapes, in float32 and bfloat16; the same bits with any number of threads, with or without
// recomputation, with prompts shared or not, and decoded token by token. The GPU's passes run in the emulator: there the
// threads of a block run in different orders instead.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <algorithm>
#include <random>
#include <vector>

#include "hir_kernels.h"

namespace {

int failures = 0;

void expect(bool holds, const char *what, int backend, long long detail) {
  if (holds) return;
  failures++;
  printf("FAILED: %s (backend %d, %lld): %s\n", what, backend, detail, hir_last_error());
}

template <class T>
hir_address address(const std::vector<T> &x) {
  return x.empty() ? 0 : reinterpret_cast<hir_address>(x.data());
}

constexpr double EPSILON = 1e-6;

struct Shape {
  int64_t layers, hidden, intermediate, heads, kv_heads, head_dim, vocab;
  bool bias, head_norms;
  int32_t dtype;

  int64_t qkv() const { return (heads + 2 * kv_heads) * head_dim; }
};

// Segments of a batch: lengths, and what each continues.
struct Cut {
  std::vector<int64_t> lengths, prefixes;
};

// An adapter on one of a layer's projections, q k v output gate up down.
struct Adapter {
  int64_t layer, projection, rank;
  double scale;
  std::vector<float> a, b, a_gradient, b_gradient;
};

// float32 or bfloat16 elements, as a model of that type reads and writes them.
class Elements {
 public:
  Elements(int32_t dtype, const std::vector<float> &values) : dtype(dtype), count(values.size()) {
    bytes.resize(std::max<size_t>(1, count) * (dtype == HIR_BFLOAT16 ? 2 : 4));
    for (size_t i = 0; i < count; i++) memcpy(at(i), from(values[i]).data(), size());
  }

  hir_address where() const { return count ? reinterpret_cast<hir_address>(bytes.data()) : 0; }

  std::vector<float> floats() const {
    std::vector<float> values(count);
    for (size_t i = 0; i < count; i++) {
      uint32_t word = 0;
      memcpy(reinterpret_cast<char *>(&word) + 4 - size(), bytes.data() + i * size(), size());
      memcpy(&values[i], &word, 4);
    }
    return values;
  }

 private:
  size_t size() const { return dtype == HIR_BFLOAT16 ? 2 : 4; }
  char *at(size_t i) { return bytes.data() + i * size(); }

  // To the nearest, ties to even.
  std::vector<char> from(float value) const {
    uint32_t word;
    memcpy(&word, &value, 4);
    if (dtype == HIR_BFLOAT16) word = (word + 0x7fff + ((word >> 16) & 1)) >> 16;
    const char *first = reinterpret_cast<const char *>(&word);
    return {first, first + size()};
  }

  int32_t dtype;
  size_t count;
  std::vector<char> bytes;
};

// Weights in the order of hir_model_weights, an empty vector where a family has none; those of a bfloat16 model are such
// numbers.
struct Model {
  const Shape s;
  std::mt19937 random{5};
  std::vector<std::vector<float>> weights;
  std::vector<Elements> stored;
  std::vector<float> cosines, sines;
  int64_t positions;
  bool frozen = false;
  std::vector<Adapter> adapters;  // of frozen weights

  Model(const Shape &shape, int64_t positions) : s(shape), positions(positions) {
    add(s.vocab * s.hidden, 0, 1);
    add(s.hidden, 1, 0.3);
    add(s.vocab * s.hidden, 0, 0.3);
    const double spread = 1 / sqrt(static_cast<double>(s.hidden));
    for (int64_t l = 0; l < s.layers; l++) {
      add(s.hidden, 1, 0.3);
      add(s.qkv() * s.hidden, 0, spread);
      add(s.bias ? s.qkv() : 0, 0, 0.5);
      add(s.head_norms ? s.head_dim : 0, 1, 0.3);
      add(s.head_norms ? s.head_dim : 0, 1, 0.3);
      add(s.hidden * s.heads * s.head_dim, 0, spread);
      add(s.hidden, 1, 0.3);
      add(2 * s.intermediate * s.hidden, 0, spread);
      add(s.hidden * s.intermediate, 0, spread);
    }
    for (int64_t p = 0; p < positions; p++) {
      for (int64_t i = 0; i < s.head_dim / 2; i++) {
        const double angle = static_cast<double>(p) / pow(100.0, 2.0 * static_cast<double>(i) / s.head_dim);
        cosines.push_back(static_cast<float>(cos(angle)));
        sines.push_back(static_cast<float>(sin(angle)));
      }
    }
  }

  void add(int64_t count, double mean, double spread) {
    std::normal_distribution<double> draw(mean, spread);
    weights.emplace_back();
    for (int64_t i = 0; i < count; i++) weights.back().push_back(static_cast<float>(draw(random)));
    stored.emplace_back(s.dtype, weights.back());
    weights.back() = stored.back().floats();
  }

  std::vector<int64_t> addresses() const {
    std::vector<int64_t> all;
    for (const auto &w : stored) all.push_back(w.where());
    return all;
  }

  // The weight that holds a projection, its first row there, its rows and columns.
  struct Place {
    size_t weight;
    int64_t row, rows, columns;
  };
  Place place(int64_t layer, int64_t projection) const {
    const size_t first = 3 + 9 * layer;
    const int64_t q = s.heads * s.head_dim, k = s.kv_heads * s.head_dim, d = s.hidden, i = s.intermediate;
    const Place places[] = {{first + 1, 0, q, d},     {first + 1, q, k, d}, {first + 1, q + k, k, d}, {first + 5, 0, d, q},
                            {first + 7, 0, i, d},     {first + 7, i, i, d}, {first + 8, 0, d, i}};
    return places[projection];
  }

  void adapt(int64_t layer, int64_t projection, int64_t rank, double scale) {
    const Place at = place(layer, projection);
    std::normal_distribution<float> draw(0, 0.3f);
    Adapter adapter = {layer, projection, rank, scale, std::vector<float>(rank * at.columns),
                       std::vector<float>(at.rows * rank), {}, {}};
    for (float &x : adapter.a) x = draw(random);
    for (float &x : adapter.b) x = draw(random);
    adapter.a_gradient.resize(adapter.a.size());
    adapter.b_gradient.resize(adapter.b.size());
    adapters.push_back(adapter);
    frozen = true;
  }

  // The same model without adapters: their part is in the weights.
  Model merged() const {
    Model m = *this;
    m.frozen = false;
    m.adapters.clear();
    for (const Adapter &adapter : adapters) {
      const Place at = place(adapter.layer, adapter.projection);
      for (int64_t r = 0; r < at.rows; r++) {
        for (int64_t c = 0; c < at.columns; c++) {
          double sum = 0;
          for (int64_t j = 0; j < adapter.rank; j++) {
            sum += static_cast<double>(adapter.b[r * adapter.rank + j]) * adapter.a[j * at.columns + c];
          }
          m.weights[at.weight][(at.row + r) * at.columns + c] += static_cast<float>(adapter.scale * sum);
        }
      }
      m.stored[at.weight] = Elements(s.dtype, m.weights[at.weight]);
      m.weights[at.weight] = m.stored[at.weight].floats();
    }
    return m;
  }

  // The weights, dense or frozen.
  void give(int64_t model, int backend) const {
    if (!frozen) {
      expect(hir_model_weights(model, addresses().data()) == HIR_OK, "weights", backend, s.hidden);
      return;
    }
    const int64_t element = s.dtype == HIR_BFLOAT16 ? 2 : 4;
    std::vector<hir_matrix> matrices = {{stored[0].where(), s.dtype, 0, 0, 0, 0, 0, 0, 0, 0},
                                        {stored[2].where(), s.dtype, 0, 0, 0, 0, 0, 0, 0, 0}};
    std::vector<int64_t> vectors = addresses();
    for (int64_t l = 0; l < s.layers; l++) {
      for (int64_t p = 0; p < 7; p++) {
        const Place at = place(l, p);
        hir_matrix matrix = {};
        matrix.data = stored[at.weight].where() + at.row * at.columns * element;
        matrix.type = s.dtype;
        for (const Adapter &adapter : adapters) {
          if (adapter.layer != l || adapter.projection != p) continue;
          matrix.rank = adapter.rank;
          matrix.scale = adapter.scale;
          matrix.a = address(adapter.a);
          matrix.b = address(adapter.b);
          matrix.a_gradient = address(adapter.a_gradient);
          matrix.b_gradient = address(adapter.b_gradient);
        }
        matrices.push_back(matrix);
      }
    }
    for (int64_t matrix : {0, 2}) vectors[matrix] = 0;
    expect(hir_model_frozen(model, vectors.data(), matrices.data(), matrices.size()) == HIR_OK, "frozen", backend, s.hidden);
  }

  // A handle with weights and tables; `threads` chooses the emulator's order of them.
  int64_t make(int backend, int threads = 1) const {
    const int device = backend == HIR_CUDA_EMULATED ? threads - 1 : 0;
    const hir_model_shape shape = {s.layers, s.hidden, s.intermediate, s.heads, s.kv_heads, s.head_dim, s.vocab, EPSILON,
                                   s.dtype};
    int64_t model = 0;
    expect(hir_model_create(backend, device, 0, &shape, &model) == HIR_OK, "create", backend, s.hidden);
    give(model, backend);
    expect(hir_model_rotary(model, address(cosines), address(sines), positions) == HIR_OK, "rotary", backend, s.hidden);
    return model;
  }

  // Tolerance of a result, relative to its own size and to its tensor's.
  double slack() const { return s.dtype == HIR_BFLOAT16 ? 0.06 : 1e-4; }
};

using Rows = std::vector<std::vector<double>>;
using Weights = std::vector<std::vector<double>>;

std::vector<double> norm(const double *x, const std::vector<double> &weight, int64_t n) {
  double squares = 0;
  for (int64_t i = 0; i < n; i++) squares += x[i] * x[i];
  std::vector<double> out(n);
  for (int64_t i = 0; i < n; i++) out[i] = x[i] / sqrt(squares / static_cast<double>(n) + EPSILON) * weight[i];
  return out;
}

Rows multiply(const Rows &x, const std::vector<double> &w, int64_t out) {
  Rows product(x.size(), std::vector<double>(out));
  for (size_t t = 0; t < x.size(); t++) {
    for (int64_t o = 0; o < out; o++) {
      for (size_t i = 0; i < x[t].size(); i++) product[t][o] += x[t][i] * w[o * x[t].size() + i];
    }
  }
  return product;
}

Rows norm_all(const Rows &x, const std::vector<double> &w) {
  Rows out;
  for (const auto &row : x) out.push_back(norm(row.data(), w, static_cast<int64_t>(row.size())));
  return out;
}

// Hidden states of one whole sequence; `cached`, if any, takes each layer's rotated keys with its values.
Rows reference(const Model &m, const Weights &w, const std::vector<int64_t> &ids, std::vector<Rows> *cached = nullptr) {
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
    for (int64_t t = 0; t < tokens; t++) {
      for (int64_t h = 0; h < s.heads; h++) {
        const int64_t key = (s.heads + h / (s.heads / s.kv_heads)) * dim, value = key + s.kv_heads * dim;
        std::vector<double> weights(t + 1);
        double sum = 0;
        for (int64_t u = 0; u <= t; u++) {
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

// The sequence that segment `index` ends, and how many of its tokens are the segment's own.
std::vector<int64_t> sequence(const Cut &cut, const std::vector<int64_t> &ids, size_t index) {
  std::vector<int64_t> starts(1, 0);
  for (int64_t length : cut.lengths) starts.push_back(starts.back() + length);
  std::vector<int64_t> tokens;
  const int64_t prefix = cut.prefixes[index];
  if (prefix >= 0) tokens.assign(ids.begin() + starts[prefix], ids.begin() + starts[prefix + 1]);
  tokens.insert(tokens.end(), ids.begin() + starts[index], ids.begin() + starts[index + 1]);
  return tokens;
}

// Hidden states of the batch in its order; `flow`, if any, weighs them for the returned sum.
double reference(const Model &m, const Weights &w, const Cut &cut, const std::vector<int64_t> &ids,
                 const std::vector<float> &flow, std::vector<double> *hidden) {
  double sum = 0;
  size_t at = 0;
  for (size_t i = 0; i < cut.lengths.size(); i++) {
    const Rows rows = reference(m, w, sequence(cut, ids, i));
    for (size_t t = rows.size() - cut.lengths[i]; t < rows.size(); t++) {
      for (double value : rows[t]) {
        if (hidden) hidden->push_back(value);
        sum += value * flow[at++];
      }
    }
  }
  return sum;
}

struct Result {
  std::vector<float> hidden, keys_values;
  std::vector<std::vector<float>> gradients;
};

Result run(const Model &m, int backend, int threads, const Cut &cut, const std::vector<int64_t> &ids, int32_t keep,
           const std::vector<float> &flow) {
  const Shape &s = m.s;
  hir_set_threads(threads);
  const int64_t model = m.make(backend, threads);
  int64_t pass = 0;
  const auto ok = [&](int32_t code, const char *what) { expect(code == HIR_OK, what, backend, s.hidden); };
  m.give(model, backend);  // again
  Result result;
  const Elements hidden(s.dtype, std::vector<float>(ids.size() * s.hidden));
  const Elements keys_values(s.dtype, std::vector<float>(s.layers * ids.size() * 2 * s.kv_heads * s.head_dim));
  std::vector<int64_t> into;
  for (const auto &w : m.weights) result.gradients.emplace_back(w.size());
  for (const auto &g : result.gradients) into.push_back(address(g));
  // Twice, so that memory of an earlier pass is met; gradients then hold the sum of both.
  for (int i = 0; i < 2; i++) {
    ok(hir_model_forward(model, ids.data(), ids.size(), cut.lengths.data(), cut.prefixes.data(), cut.lengths.size(), keep,
                         hidden.where(), keys_values.where(), &pass),
       "forward");
    if (keep == HIR_KEEP_NOTHING) {
      expect(hir_model_backward(model, pass, address(flow), into.data()) == HIR_INVALID, "nothing kept", backend, 0);
      continue;
    }
    ok(hir_model_backward(model, pass, address(flow), into.data()), "backward");
    expect(hir_model_backward(model, pass, address(flow), into.data()) == HIR_INVALID, "backward once", backend, 0);
  }
  hir_model_free(model);
  result.hidden = hidden.floats();
  result.keys_values = keys_values.floats();
  return result;
}

void check_gradients(const Model &m, int backend, const Cut &cut, const std::vector<int64_t> &ids,
                     const std::vector<float> &flow, const Result &result) {
  std::mt19937 random(11);
  Weights w;
  for (const auto &x : m.weights) w.emplace_back(x.begin(), x.end());
  for (size_t p = 0; p < w.size(); p++) {
    double largest = 0;
    for (float g : result.gradients[p]) largest = fmax(largest, fabs(g));
    // A norm of one number is the number's sign: rounding leaves nothing of its gradient.
    const bool none = w[p].empty() || p == 2 || (m.s.hidden == 1 && m.s.dtype == HIR_BFLOAT16);
    expect(largest > 0 || none, "there is a gradient", backend, static_cast<long long>(p));
    expect(largest == 0 || (!w[p].empty() && p != 2), "there is no gradient", backend, static_cast<long long>(p));
    for (int i = 0; i < 5 && !w[p].empty() && p != 2; i++) {
      // Of the embedding a token that occurs.
      const size_t at = p == 0 ? ids[random() % ids.size()] * m.s.hidden + random() % m.s.hidden : random() % w[p].size();
      const double step = 1e-5, value = w[p][at];
      w[p][at] = value + step;
      const double above = reference(m, w, cut, ids, flow, nullptr);
      w[p][at] = value - step;
      const double below = reference(m, w, cut, ids, flow, nullptr);
      w[p][at] = value;
      const double want = 2 * (above - below) / (2 * step);  // of two passes
      expect(fabs(result.gradients[p][at] - want) <= 1e-5 + 2 * m.slack() * (largest + fabs(want)), "gradient", backend,
             static_cast<long long>(p));
    }
  }
}

void check_head(const Model &m, int backend) {
  const Shape &s = m.s;
  const int64_t rows = 71, stride = s.vocab + 3;
  std::mt19937 random(2);
  std::normal_distribution<float> draw(0, 1);
  std::vector<float> values(rows * s.hidden), flow(rows * stride), logits(rows * stride, -1.0f), back(rows * s.hidden);
  for (float &x : values) x = draw(random);
  for (float &x : flow) x = draw(random);
  const Elements stored(s.dtype, values);
  const std::vector<float> hidden = stored.floats();
  hir_set_threads(3);
  const int64_t model = m.make(backend);
  std::vector<float> gradient(s.vocab * s.hidden, 0.5f);
  expect(hir_model_logits(model, stored.where(), rows, address(logits), stride) == HIR_OK, "logits", backend, 0);
  expect(hir_model_logits_backward(model, address(flow), stride, stored.where(), rows, address(back), address(gradient)) ==
             HIR_OK,
         "logits backward", backend, 0);
  const std::vector<float> &head = m.weights[2];
  // Sums of exact products, but for the gradient of logits, which is rounded.
  const auto near = [&](double got, double want, const char *what) {
    expect(fabs(got - want) <= 2 * m.slack() * (1 + fabs(want)), what, backend, s.vocab);
  };
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t v = 0; v < s.vocab; v++) {
      double sum = 0;
      for (int64_t i = 0; i < s.hidden; i++) sum += static_cast<double>(hidden[r * s.hidden + i]) * head[v * s.hidden + i];
      near(logits[r * stride + v], sum, "logit");
    }
    for (int i = 0; i < 3; i++) expect(logits[r * stride + s.vocab + i] == -1.0f, "padding", backend, r);
    for (int64_t i = 0; i < s.hidden; i++) {
      double sum = 0;
      for (int64_t v = 0; v < s.vocab; v++) sum += static_cast<double>(flow[r * stride + v]) * head[v * s.hidden + i];
      near(back[r * s.hidden + i], sum, "gradient of a hidden state");
    }
  }
  for (int64_t v = 0; v < s.vocab; v++) {
    for (int64_t i = 0; i < s.hidden; i++) {
      double sum = 0.5;
      for (int64_t r = 0; r < rows; r++) sum += static_cast<double>(flow[r * stride + v]) * hidden[r * s.hidden + i];
      near(gradient[v * s.hidden + i], sum, "gradient of the head");
    }
  }

  // Log-probs from hidden states are those of the logits.
  std::vector<int64_t> targets(rows);
  for (int64_t &target : targets) target = random() % s.vocab;
  std::vector<float> want(2 * rows), got(2 * rows, -1.0f), alone(rows);
  const double temperature = 0.7;
  const auto score = [&](hir_address x, std::vector<float> *logprobs, hir_address entropies) {
    return hir_model_logprobs(model, x, rows, address(targets), temperature, address(*logprobs), entropies);
  };
  const hir_address behind = rows * static_cast<int64_t>(sizeof(float));
  if (backend == HIR_CUDA_EMULATED) {
    expect(score(stored.where(), &got, 0) == HIR_UNSUPPORTED, "a GPU scores logits", backend, 0);
    hir_model_free(model);
    return;
  }
  expect(hir_token_logprob(backend, 0, 0, address(logits), rows, s.vocab, stride, HIR_FLOAT32, address(targets), temperature,
                           address(want), address(want) + behind) == HIR_OK,
         "log-probs of logits", backend, 0);
  expect(score(stored.where(), &got, address(got) + behind) == HIR_OK && got == want, "log-probs", backend, s.vocab);
  hir_set_threads(1);
  expect(score(stored.where(), &alone, 0) == HIR_OK && std::equal(alone.begin(), alone.end(), want.begin()),
         "log-probs on one thread", backend, s.vocab);
  targets[7] = s.vocab;
  expect(score(stored.where(), &alone, 0) == HIR_INVALID && strstr(hir_last_error(), "row 7"), "a target too high", backend, 0);
  targets[7] = 0;
  values[5 * s.hidden] = NAN;
  expect(score(Elements(s.dtype, values).where(), &alone, 0) == HIR_NAN && strstr(hir_last_error(), "row 5"), "a NaN", backend, 0);
  hir_model_free(model);
}

// A prompt and what follows it, decoded token by token beside other rows, has the logits that a packed pass gives.
void check_decoded(const Model &m, int backend) {
  const Shape &s = m.s;
  const int64_t model = m.make(backend), width = s.kv_heads * s.head_dim;
  std::mt19937 random(13);
  const bool emulated = backend == HIR_CUDA_EMULATED;
  for (const int64_t length : {1, 7, 32, 45}) {
    if (emulated && length != 45) continue;
    const int64_t more = emulated ? 4 : 15, rows = length == 7 ? 40 : 3, whole = length + more;
    std::vector<int64_t> ids(whole), follow(rows * more);
    for (int64_t &id : ids) id = random() % s.vocab;
    for (int64_t &id : follow) id = random() % s.vocab;

    // All rows in one batch behind the prompt that they share, then their logits.
    hir_set_threads(2);
    std::vector<int64_t> packed(ids.begin(), ids.begin() + length), lengths = {length}, prefixes = {-1};
    for (int64_t r = 0; r < rows; r++) {
      packed.insert(packed.end(), follow.begin() + r * more, follow.begin() + (r + 1) * more);
      lengths.push_back(more);
      prefixes.push_back(0);
    }
    const int64_t count = packed.size();
    const Elements hidden(s.dtype, std::vector<float>(count * s.hidden));
    const Elements keys(s.dtype, std::vector<float>(s.layers * count * 2 * width));
    std::vector<float> scored(count * s.vocab);
    int64_t pass = 0, decoder = 0, prompt = 0;
    expect(hir_model_forward(model, packed.data(), count, lengths.data(), prefixes.data(), lengths.size(),
                             HIR_KEEP_NOTHING, hidden.where(), keys.where(), &pass) == HIR_OK,
           "forward", backend, length);
    expect(hir_model_logits(model, hidden.where(), count, address(scored), s.vocab) == HIR_OK, "logits", backend, length);

    hir_set_threads(3);
    const int64_t element = s.dtype == HIR_BFLOAT16 ? 2 : 4;
    expect(hir_decoder_create(model, &decoder) == HIR_OK, "decoder", backend, length);
    expect(hir_decoder_prompt(decoder, keys.where(), keys.where() + width * element, count * 2 * width, 2 * width, length,
                              s.dtype, &prompt) == HIR_OK,
           "prompt", backend, length);
    expect(hir_decoder_admit(decoder, prompt, 0, rows) == HIR_OK, "admit", backend, length);
    for (int64_t t = 0; t < more; t++) {
      std::vector<int64_t> tokens(rows);
      for (int64_t r = 0; r < rows; r++) tokens[r] = follow[r * more + t];
      std::vector<float> logits(rows * s.vocab);
      expect(hir_decoder_step(decoder, address(tokens), rows, address(logits), s.vocab) == HIR_OK, "step", backend, t);
      for (int64_t r = 0; r < rows; r++) {
        const int64_t at = length + r * more + t;
        // On a GPU the two add up in other orders.
        bool same = emulated || memcmp(&logits[r * s.vocab], &scored[at * s.vocab], sizeof(float) * s.vocab) == 0;
        for (int64_t v = 0; v < s.vocab && emulated; v++) {
          const double want = scored[at * s.vocab + v];
          same = same && fabs(logits[r * s.vocab + v] - want) <= m.slack() * (1 + fabs(want));
        }
        expect(same, "decoded as it is scored", backend, length);
      }
    }
    hir_decoder_prompt_free(decoder, prompt);
    hir_decoder_free(decoder);
  }
  hir_model_free(model);
}

void check(int backend, int32_t dtype) {
  const Shape shapes[] = {{2, 40, 56, 4, 2, 16, 37, false, true, dtype},
                          {1, 33, 17, 3, 3, 40, 64, true, false, dtype},
                          {2, 48, 100, 5, 1, 34, 131, false, false, dtype},
                          {1, 1, 1, 1, 1, 2, 1, true, true, dtype}};
  const Cut cut = {{9, 5, 33, 12, 1, 1, 20, 41}, {-1, 0, -1, 2, 0, -1, 2, -1}};
  for (const Shape &shape : shapes) {
    // A GPU's heads are whole 16-byte vectors.
    if (backend == HIR_CUDA_EMULATED && shape.head_dim * (dtype == HIR_BFLOAT16 ? 2 : 4) % 16) continue;
    const Model m(shape, 60);
    std::mt19937 random(7);
    std::vector<int64_t> ids;
    for (int64_t length : cut.lengths) {
      for (int64_t i = 0; i < length; i++) ids.push_back(random() % shape.vocab);
    }
    std::normal_distribution<float> draw(0, 1);
    std::vector<float> flow(ids.size() * shape.hidden);
    for (float &x : flow) x = draw(random);

    const Result one = run(m, backend, 1, cut, ids, HIR_KEEP_EVERYTHING, flow);
    const Result three = run(m, backend, 3, cut, ids, HIR_KEEP_EVERYTHING, flow);
    const Result again = run(m, backend, 2, cut, ids, HIR_KEEP_INPUTS, flow);
    expect(one.hidden == three.hidden && one.gradients == three.gradients, "any number of threads", backend, shape.hidden);
    expect(one.hidden == again.hidden && one.gradients == again.gradients, "recomputed", backend, shape.hidden);

    std::vector<double> hidden;
    Weights w;
    for (const auto &x : m.weights) w.emplace_back(x.begin(), x.end());
    reference(m, w, cut, ids, flow, &hidden);
    for (size_t i = 0; i < hidden.size(); i++) {
      expect(fabs(one.hidden[i] - hidden[i]) <= m.slack() * (1 + fabs(hidden[i])), "hidden state", backend,
             static_cast<long long>(i));
    }
    std::vector<Rows> cached;
    reference(m, w, sequence(cut, ids, 0), &cached);
    const size_t width = 2 * shape.kv_heads * shape.head_dim;
    for (size_t at = 0; at < cached.size() * cut.lengths[0] * width; at++) {
      const size_t layer = at / (cut.lengths[0] * width), token = at / width % cut.lengths[0];
      const double want = cached[layer][token][at % width];
      expect(fabs(one.keys_values[(layer * ids.size() + token) * width + at % width] - want) <= m.slack() * (1 + fabs(want)),
             "key or value", backend, static_cast<long long>(at));
    }
    check_gradients(m, backend, cut, ids, flow, one);
    check_head(m, backend);
    check_decoded(m, backend);

    // Every segment by itself, what it continues before it: the same bits.
    size_t at = 0;
    for (size_t i = 0; i < cut.lengths.size(); i++) {
      const std::vector<int64_t> whole = sequence(cut, ids, i);
      const Result alone = run(m, backend, 2, {{static_cast<int64_t>(whole.size())}, {-1}}, whole, HIR_KEEP_NOTHING, flow);
      const size_t own = cut.lengths[i] * shape.hidden;
      expect(std::equal(alone.hidden.end() - own, alone.hidden.end(), one.hidden.begin() + at),
             "whatever else is in the batch", backend, static_cast<long long>(i));
      at += own;
    }
  }
}

// Frozen weights are the weights; adapters are what they add to them, forward, decoded and backward.
void check_frozen(int backend, int32_t dtype) {
  const Cut cut = {{9, 5, 33, 12, 1, 20}, {-1, 0, -1, 2, 0, -1}};
  const Shape shapes[] = {{2, 40, 56, 4, 2, 16, 37, false, true, dtype}, {3, 48, 100, 5, 1, 34, 131, true, false, dtype}};
  for (const Shape &shape : shapes) {
    Model m(shape, 60);
    std::mt19937 random(7);
    std::vector<int64_t> ids;
    for (int64_t length : cut.lengths) {
      for (int64_t i = 0; i < length; i++) ids.push_back(random() % shape.vocab);
    }
    std::normal_distribution<float> draw(0, 1);
    std::vector<float> flow(ids.size() * shape.hidden);
    for (float &x : flow) x = draw(random);
    const Result dense = run(m, backend, 2, cut, ids, HIR_KEEP_EVERYTHING, flow);
    m.frozen = true;
    const Result frozen = run(m, backend, 3, cut, ids, HIR_KEEP_INPUTS, flow);
    expect(dense.hidden == frozen.hidden && dense.gradients == frozen.gradients, "frozen, but the same", backend, shape.hidden);

    // Of all, of some of a fused matrix, of ranks that differ, more than a panel.
    for (int64_t p = 0; p < 7; p++) m.adapt(0, p, 1 + p, 0.5 + 0.25 * static_cast<double>(p));
    m.adapt(shape.layers - 1, 2, 35, 0.1);
    m.adapt(shape.layers - 1, 5, 3, 2);
    const auto clear = [&] {
      for (Adapter &adapter : m.adapters) {
        std::fill(adapter.a_gradient.begin(), adapter.a_gradient.end(), 0.0f);
        std::fill(adapter.b_gradient.begin(), adapter.b_gradient.end(), 0.0f);
      }
    };
    const Result one = run(m, backend, 1, cut, ids, HIR_KEEP_EVERYTHING, flow);
    const std::vector<Adapter> gradients = m.adapters;
    clear();
    const Result three = run(m, backend, 3, cut, ids, HIR_KEEP_INPUTS, flow);
    bool same = one.hidden == three.hidden;
    for (size_t i = 0; i < gradients.size(); i++) {
      same = same && gradients[i].a_gradient == m.adapters[i].a_gradient && gradients[i].b_gradient == m.adapters[i].b_gradient;
    }
    expect(same, "any number of threads, recomputed", backend, shape.hidden);
    check_decoded(m, backend);

    // A dense model with the adapters in its weights, and the chain rule: dB = s dW A^T, dA = s B^T dW.
    const Model merged = m.merged();
    const Result want = run(merged, backend, 2, cut, ids, HIR_KEEP_EVERYTHING, flow);
    const double slack = dtype == HIR_BFLOAT16 ? 0.06 : 2e-5;
    for (size_t i = 0; i < want.hidden.size(); i++) {
      expect(fabs(one.hidden[i] - want.hidden[i]) <= slack * (1 + fabs(want.hidden[i])), "hidden state of an adapter", backend,
             static_cast<long long>(i));
    }
    for (const Adapter &adapter : gradients) {
      const Model::Place at = m.place(adapter.layer, adapter.projection);
      const float *const dw = want.gradients[at.weight].data() + at.row * at.columns;
      const auto near = [&](const std::vector<float> &got, const std::vector<double> &expected, const char *what) {
        double squares = 0, distance = 0;
        for (size_t i = 0; i < got.size(); i++) {
          squares += expected[i] * expected[i];
          distance += (got[i] - expected[i]) * (got[i] - expected[i]);
        }
        expect(squares > 0, "there is a gradient", backend, adapter.projection);
        expect(sqrt(distance) <= slack * sqrt(squares), what, backend, adapter.projection);
      };
      std::vector<double> a(adapter.a.size()), b(adapter.b.size());
      for (int64_t r = 0; r < at.rows; r++) {
        for (int64_t j = 0; j < adapter.rank; j++) {
          for (int64_t c = 0; c < at.columns; c++) {
            const double g = adapter.scale * dw[r * at.columns + c];
            b[r * adapter.rank + j] += g * adapter.a[j * at.columns + c];
            a[j * at.columns + c] += g * adapter.b[r * adapter.rank + j];
          }
        }
      }
      near(adapter.a_gradient, a, "gradient of A");
      near(adapter.b_gradient, b, "gradient of B");
    }

    // Zeros change nothing, in bfloat16 either, and off is off.
    Model off = m;
    for (Adapter &adapter : off.adapters) std::fill(adapter.b.begin(), adapter.b.end(), 0.0f);
    expect(run(off, backend, 2, cut, ids, HIR_KEEP_EVERYTHING, flow).hidden == dense.hidden, "an adapter of zeros", backend,
           shape.hidden);
  }
}

void refused(int backend) {
  const Model m({1, 8, 8, 2, 1, 4, 10, false, false, HIR_FLOAT32}, 6);
  hir_model_shape shape = {1, 8, 8, 2, 1, 4, 10, EPSILON, HIR_FLOAT32};
  int64_t model = 0, pass = 0;
  const int64_t plain = m.make(HIR_BASELINE);
  expect(hir_model_logits(plain, address(m.cosines), 1, address(m.cosines), 10) == HIR_UNSUPPORTED, "no baseline", backend, 0);
  hir_model_free(plain);
  shape.heads = 3;
  shape.kv_heads = 2;
  expect(hir_model_create(backend, 0, 0, &shape, &model) == HIR_INVALID, "heads", backend, 0);
  shape.heads = 2;
  shape.kv_heads = 1;
  shape.dtype = 7;
  expect(hir_model_create(backend, 0, 0, &shape, &model) == HIR_INVALID, "element type", backend, 0);
  shape.dtype = HIR_FLOAT32;
  hir_model_create(backend, 0, 0, &shape, &model);
  std::vector<float> hidden(80);
  const auto forward = [&](std::vector<int64_t> ids, std::vector<int64_t> lengths, std::vector<int64_t> prefixes) {
    return hir_model_forward(model, ids.data(), ids.size(), lengths.data(), prefixes.data(), lengths.size(),
                                   HIR_KEEP_EVERYTHING, address(hidden), 0, &pass);
  };
  expect(forward({1}, {1}, {-1}) == HIR_INVALID, "no weights yet", backend, 0);
  hir_model_weights(model, m.addresses().data());
  hir_model_rotary(model, address(m.cosines), address(m.sines), 6);
  expect(forward({1, 2}, {1, 1}, {-1, 0}) == HIR_OK, "a good one", backend, 0);
  expect(forward({1, 10}, {2}, {-1}) == HIR_INVALID, "a token too high", backend, 0);
  expect(forward({-1}, {1}, {-1}) == HIR_INVALID, "a token too low", backend, 0);
  expect(forward({1, 2}, {1}, {-1}) == HIR_INVALID, "tokens left over", backend, 0);
  expect(forward({1}, {2}, {-1}) == HIR_INVALID, "tokens missing", backend, 0);
  expect(forward({1, 2}, {2, 0}, {-1, -1}) == HIR_INVALID, "an empty segment", backend, 0);
  expect(forward({1, 2}, {1, 1}, {-1, 1}) == HIR_INVALID, "continues itself", backend, 0);
  expect(forward({1, 2, 3}, {1, 1, 1}, {-1, 0, 1}) == HIR_INVALID, "continues a continuation", backend, 0);
  expect(forward({1, 2, 3, 4, 5, 6, 7}, {4, 3}, {-1, 0}) == HIR_INVALID, "beyond the rotary tables", backend, 0);
  expect(hir_model_backward(model, pass, address(hidden), m.addresses().data()) == HIR_INVALID,
         "backward of what failed", backend, 0);
  expect(forward({}, {}, {}) == HIR_OK, "nothing", backend, 0);
  hir_model_free(model);
}

}  // namespace

int main() {
  for (int backend : {HIR_AVX2, HIR_AVX512, HIR_CUDA_EMULATED}) {
    if (hir_backend_usable(backend) != HIR_OK) {
      printf("skipped: %s\n", hir_last_error());
      continue;
    }
    check(backend, HIR_FLOAT32);
    check(backend, HIR_BFLOAT16);
    if (backend != HIR_CUDA_EMULATED) {  // adapters are of CPUs
      check_frozen(backend, HIR_FLOAT32);
      check_frozen(backend, HIR_BFLOAT16);
    }
    refused(backend);
  }
  if (failures == 0) printf("all model checks passed\n");
  return failures == 0 ? 0 : 1;
}
