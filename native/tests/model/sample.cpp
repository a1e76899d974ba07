#include "sample.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>

namespace model_test {

static int failures = 0;

int failed() { return failures; }

void expect(bool holds, const char *what, int backend, long long detail) {
  if (holds) return;
  failures++;
  printf("FAILED: %s (backend %d, %lld): %s\n", what, backend, detail, hir_last_error());
}

Model::Model(const Shape &shape, int64_t positions) : s(shape), positions(positions) {
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

void Model::add(int64_t count, double mean, double spread) {
  std::normal_distribution<double> draw(mean, spread);
  weights.emplace_back();
  for (int64_t i = 0; i < count; i++) weights.back().push_back(static_cast<float>(draw(random)));
  stored.emplace_back(s.dtype, weights.back());
  weights.back() = stored.back().floats();
}

std::vector<int64_t> Model::addresses() const {
  std::vector<int64_t> all;
  for (const auto &w : stored) all.push_back(w.where());
  return all;
}

Model::Place Model::place(int64_t layer, int64_t projection) const {
  const size_t first = 3 + 9 * layer;
  const int64_t q = s.heads * s.head_dim, k = s.kv_heads * s.head_dim, d = s.hidden, i = s.intermediate;
  const Place places[] = {{first + 1, 0, q, d}, {first + 1, q, k, d}, {first + 1, q + k, k, d}, {first + 5, 0, d, q},
                          {first + 7, 0, i, d}, {first + 7, i, i, d}, {first + 8, 0, d, i}};
  return places[projection];
}

void Model::adapt(int64_t layer, int64_t projection, int64_t rank, double scale) {
  const Place at = place(layer, projection);
  std::normal_distribution<float> draw(0, 0.3f);
  Adapter adapter = {
      layer, projection, rank, scale, std::vector<float>(rank * at.columns), std::vector<float>(at.rows * rank), {}, {}};
  for (float &x : adapter.a) x = draw(random);
  for (float &x : adapter.b) x = draw(random);
  adapter.a_gradient.resize(adapter.a.size());
  adapter.b_gradient.resize(adapter.b.size());
  adapters.push_back(adapter);
  frozen = true;
}

Model Model::merged() const {
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

void Model::give(int64_t model, int backend) const {
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

int64_t Model::make(int backend, int threads) const {
  const int device = backend == HIR_CUDA_EMULATED ? threads - 1 : 0;
  const hir_model_shape shape = {s.layers,   s.hidden, s.intermediate, s.heads, s.kv_heads,
                                 s.head_dim, s.vocab,  EPSILON,        s.dtype};
  int64_t model = 0;
  expect(hir_model_create(backend, device, 0, &shape, &model) == HIR_OK, "create", backend, s.hidden);
  give(model, backend);
  expect(hir_model_rotary(model, address(cosines), address(sines), positions) == HIR_OK, "rotary", backend, s.hidden);
  if (!s.windows.empty()) expect(hir_model_windows(model, s.windows.data()) == HIR_OK, "windows", backend, s.hidden);
  return model;
}

Batch Batch::random(const Shape &shape, const Cut &cut) {
  Batch batch = {cut, {}, {}};
  std::mt19937 random(7);
  for (int64_t length : cut.lengths) {
    for (int64_t i = 0; i < length; i++) batch.ids.push_back(random() % shape.vocab);
  }
  std::normal_distribution<float> draw(0, 1);
  batch.flow.resize(batch.ids.size() * shape.hidden);
  for (float &x : batch.flow) x = draw(random);
  return batch;
}

Result run(const Model &m, int backend, int threads, const Batch &batch, int32_t keep) {
  const Shape &s = m.s;
  const std::vector<int64_t> &ids = batch.ids, &lengths = batch.cut.lengths;
  omp_set_num_threads(threads);
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
  // Two passes, so that the second finds memory of the first; gradients are then the sum of both.
  for (int i = 0; i < 2; i++) {
    ok(hir_model_forward(model, ids.data(), ids.size(), lengths.data(), batch.cut.prefixes.data(), lengths.size(), keep,
                         hidden.where(), keys_values.where(), &pass),
       "forward");
    if (keep == HIR_KEEP_NOTHING) {
      expect(hir_model_backward(model, pass, address(batch.flow), into.data()) == HIR_INVALID, "nothing kept", backend, 0);
      continue;
    }
    ok(hir_model_backward(model, pass, address(batch.flow), into.data()), "backward");
    expect(hir_model_backward(model, pass, address(batch.flow), into.data()) == HIR_INVALID, "backward once", backend, 0);
  }
  hir_model_free(model);
  result.hidden = hidden.floats();
  result.keys_values = keys_values.floats();
  return result;
}

}  // namespace model_test
