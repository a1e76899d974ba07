#include <math.h>
#include <omp.h>

#include "checks.h"

namespace model_test {

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
  omp_set_num_threads(3);
  const int64_t model = m.make(backend);
  std::vector<float> gradient(s.vocab * s.hidden, 0.5f);
  expect(hir_model_logits(model, stored.where(), rows, address(logits), stride) == HIR_OK, "logits", backend, 0);
  expect(hir_model_logits_backward(model, address(flow), stride, stored.where(), rows, address(back), address(gradient)) ==
             HIR_OK,
         "logits backward", backend, 0);
  const std::vector<float> &head = m.weights[2];
  // Sums of exact products, except that the gradient of logits is rounded.
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

  // Log-probs from hidden states equal those from logits.
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
  omp_set_num_threads(1);
  expect(score(stored.where(), &alone, 0) == HIR_OK && std::equal(alone.begin(), alone.end(), want.begin()),
         "log-probs on one thread", backend, s.vocab);
  targets[7] = s.vocab;
  expect(score(stored.where(), &alone, 0) == HIR_INVALID && strstr(hir_last_error(), "row 7"), "a target too high", backend,
         0);
  targets[7] = 0;
  values[5 * s.hidden] = NAN;
  expect(score(Elements(s.dtype, values).where(), &alone, 0) == HIR_NAN && strstr(hir_last_error(), "row 5"), "a NaN",
         backend, 0);
  hir_model_free(model);
}

}  // namespace model_test
