#include <math.h>

#include "checks.h"
#include "reference.h"

namespace model_test {

static void check_gradients(const Model &m, int backend, const Batch &batch, const Result &result) {
  const std::vector<int64_t> &ids = batch.ids;
  std::mt19937 random(11);
  Weights w;
  for (const auto &x : m.weights) w.emplace_back(x.begin(), x.end());
  for (size_t p = 0; p < w.size(); p++) {
    double largest = 0;
    for (float g : result.gradients[p]) largest = fmax(largest, fabs(g));
    // The norm of a single number is its sign, so the gradient is nothing but rounding.
    const bool none = w[p].empty() || p == 2 || (m.s.hidden == 1 && m.s.dtype == HIR_BFLOAT16);
    expect(largest > 0 || none, "there is a gradient", backend, static_cast<long long>(p));
    expect(largest == 0 || (!w[p].empty() && p != 2), "there is no gradient", backend, static_cast<long long>(p));
    for (int i = 0; i < 5 && !w[p].empty() && p != 2; i++) {
      // In the embedding, the row of a token that occurs.
      const size_t at = p == 0 ? ids[random() % ids.size()] * m.s.hidden + random() % m.s.hidden : random() % w[p].size();
      const double step = 1e-5, value = w[p][at];
      w[p][at] = value + step;
      const double above = reference(m, w, batch);
      w[p][at] = value - step;
      const double below = reference(m, w, batch);
      w[p][at] = value;
      const double want = 2 * (above - below) / (2 * step);  // of two passes
      expect(fabs(result.gradients[p][at] - want) <= 1e-5 + 2 * m.slack() * (largest + fabs(want)), "gradient", backend,
             static_cast<long long>(p));
    }
  }
}

static void check_passes(const Model &m, int backend, const Cut &cut) {
  const Shape &shape = m.s;
  const Batch batch = Batch::random(shape, cut);
  const size_t tokens = batch.ids.size();
  const Result one = run(m, backend, 1, batch, HIR_KEEP_EVERYTHING);
  const Result three = run(m, backend, 3, batch, HIR_KEEP_EVERYTHING);
  const Result again = run(m, backend, 2, batch, HIR_KEEP_INPUTS);
  expect(one.hidden == three.hidden && one.gradients == three.gradients, "any number of threads", backend, shape.hidden);
  expect(one.hidden == again.hidden && one.gradients == again.gradients, "recomputed", backend, shape.hidden);

  std::vector<double> hidden;
  Weights w;
  for (const auto &x : m.weights) w.emplace_back(x.begin(), x.end());
  reference(m, w, batch, &hidden);
  for (size_t i = 0; i < hidden.size(); i++) {
    expect(fabs(one.hidden[i] - hidden[i]) <= m.slack() * (1 + fabs(hidden[i])), "hidden state", backend,
           static_cast<long long>(i));
  }
  std::vector<Rows> cached;
  reference(m, w, sequence(batch, 0), &cached);
  const size_t width = 2 * shape.kv_heads * shape.head_dim;
  for (size_t at = 0; at < cached.size() * cut.lengths[0] * width; at++) {
    const size_t layer = at / (cut.lengths[0] * width), token = at / width % cut.lengths[0];
    const double want = cached[layer][token][at % width];
    expect(fabs(one.keys_values[(layer * tokens + token) * width + at % width] - want) <= m.slack() * (1 + fabs(want)),
           "key or value", backend, static_cast<long long>(at));
  }
  check_gradients(m, backend, batch, one);

  // Every segment alone, behind what it continues, has the same bits.
  size_t at = 0;
  for (size_t i = 0; i < cut.lengths.size(); i++) {
    const std::vector<int64_t> whole = sequence(batch, i);
    const Batch single = {{{static_cast<int64_t>(whole.size())}, {-1}}, whole, batch.flow};
    const Result alone = run(m, backend, 2, single, HIR_KEEP_NOTHING);
    const size_t own = cut.lengths[i] * shape.hidden;
    expect(std::equal(alone.hidden.end() - own, alone.hidden.end(), one.hidden.begin() + at),
           "whatever else is in the batch", backend, static_cast<long long>(i));
    at += own;
  }
}

void check_passes(int backend, int32_t dtype) {
  const Shape shapes[] = {{2, 40, 56, 4, 2, 16, 37, false, true, dtype},
                          {1, 33, 17, 3, 3, 40, 64, true, false, dtype},
                          {2, 48, 100, 5, 1, 34, 131, false, false, dtype},
                          {1, 1, 1, 1, 1, 2, 1, true, true, dtype},
                          // A window that ends within prompts and within what continues them, beside a layer without,
                          // and one of a token alone; one that all sequences fit into.
                          {3, 40, 32, 4, 2, 16, 37, true, false, dtype, {7, 0, 1}},
                          {1, 24, 16, 6, 3, 8, 37, false, true, dtype, {60}}};
  const Cut cut = {{9, 5, 33, 12, 1, 1, 20, 41}, {-1, 0, -1, 2, 0, -1, 2, -1}};
  for (const Shape &shape : shapes) {
    // On a GPU heads must be whole 16-byte vectors.
    if (backend == HIR_CUDA_EMULATED && shape.head_dim * (dtype == HIR_BFLOAT16 ? 2 : 4) % 16) continue;
    const Model m(shape, 60);
    check_passes(m, backend, cut);
    check_head(m, backend);
    check_decoded(m, backend);
  }
  if (backend != HIR_CUDA_EMULATED) return;
  // Halves of heads that end within a group's last vector, more heads than a block has groups, and a prompt with more
  // continuations than a warp has lanes.
  const Shape heads[] = {{1, 24, 16, 20, 4, 72, 37, true, true, dtype},
                         {1, 24, 16, 12, 6, 12, 37, false, true, dtype},
                         {1, 20, 16, 3, 1, 256, 37, true, true, dtype},
                         {1, 20, 16, 18, 9, 96, 37, false, true, dtype}};
  Cut many = {{3}, {-1}};
  for (int64_t i = 0; i < 36; i++) {
    many.lengths.push_back(1 + i % 2);
    many.prefixes.push_back(0);
  }
  for (const Shape &shape : heads) {
    if (shape.head_dim * (dtype == HIR_BFLOAT16 ? 2 : 4) % 16 == 0) check_passes(Model(shape, 60), backend, many);
  }
}

}  // namespace model_test
