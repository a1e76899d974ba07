#include <math.h>

#include "checks.h"

namespace model_test {

void check_frozen(int backend, int32_t dtype) {
  const Cut cut = {{9, 5, 33, 12, 1, 20}, {-1, 0, -1, 2, 0, -1}};
  const Shape shapes[] = {{2, 40, 56, 4, 2, 16, 37, false, true, dtype}, {3, 48, 100, 5, 1, 34, 131, true, false, dtype}};
  for (const Shape &shape : shapes) {
    Model m(shape, 60);
    const Batch batch = Batch::random(shape, cut);
    const Result dense = run(m, backend, 2, batch, HIR_KEEP_EVERYTHING);
    m.frozen = true;
    const Result frozen = run(m, backend, 3, batch, HIR_KEEP_INPUTS);
    expect(dense.hidden == frozen.hidden && dense.gradients == frozen.gradients, "frozen, but the same", backend,
           shape.hidden);

    // Adapters on all matrices, on parts of a fused one, of different ranks, and wider than a panel.
    for (int64_t p = 0; p < 7; p++) m.adapt(0, p, 1 + p, 0.5 + 0.25 * static_cast<double>(p));
    m.adapt(shape.layers - 1, 2, 35, 0.1);
    m.adapt(shape.layers - 1, 5, 3, 2);
    const auto clear = [&] {
      for (Adapter &adapter : m.adapters) {
        std::fill(adapter.a_gradient.begin(), adapter.a_gradient.end(), 0.0f);
        std::fill(adapter.b_gradient.begin(), adapter.b_gradient.end(), 0.0f);
      }
    };
    const Result one = run(m, backend, 1, batch, HIR_KEEP_EVERYTHING);
    const std::vector<Adapter> gradients = m.adapters;
    clear();
    const Result three = run(m, backend, 3, batch, HIR_KEEP_INPUTS);
    bool same = one.hidden == three.hidden;
    for (size_t i = 0; i < gradients.size(); i++) {
      same =
          same && gradients[i].a_gradient == m.adapters[i].a_gradient && gradients[i].b_gradient == m.adapters[i].b_gradient;
    }
    expect(same, "any number of threads, recomputed", backend, shape.hidden);
    check_decoded(m, backend);

    // Compared with a dense model that has the adapters in its weights, by the chain rule: dB = s dW A^T, dA = s B^T
    // dW.
    const Model merged = m.merged();
    const Result want = run(merged, backend, 2, batch, HIR_KEEP_EVERYTHING);
    const double slack = dtype == HIR_BFLOAT16 ? 0.06 : 2e-5;
    for (size_t i = 0; i < want.hidden.size(); i++) {
      expect(fabs(one.hidden[i] - want.hidden[i]) <= slack * (1 + fabs(want.hidden[i])), "hidden state of an adapter",
             backend, static_cast<long long>(i));
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

    // Adapters of zeros change nothing, in bfloat16 as well.
    Model off = m;
    for (Adapter &adapter : off.adapters) std::fill(adapter.b.begin(), adapter.b.end(), 0.0f);
    expect(run(off, backend, 2, batch, HIR_KEEP_EVERYTHING).hidden == dense.hidden, "an adapter of zeros", backend,
           shape.hidden);
  }
}

}  // namespace model_test
