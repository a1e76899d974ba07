// Checks the head: every variant against sums in double, and bit for bit against token_logprob on the logits of a product.
#include "head/head.h"

#include <stdlib.h>

#include "../check.h"
#include "kernels.h"

namespace {

using hir::HeadLogprobs;

struct Result {
  std::vector<float> logprobs, entropies;
};

void check(const Matmul &m, int64_t rows, int64_t vocab, int64_t hidden, double temperature) {
  Rows x = Rows::normal(m.dtype(), rows, hidden, 0), w = Rows::normal(m.dtype(), vocab, hidden, 0, 0.3f);
  if (rows > 3) x.set(2, 0, NAN);
  const hir::Weight weight = {w.data(), vocab, hidden, hidden, hir::Order::PLAIN};
  void *const packed = aligned_alloc(64, m.packed_bytes_forward(weight));
  m.pack_forward(Team::alone(), weight, packed);
  std::vector<int64_t> targets(rows);
  for (int64_t &t : targets) t = random_bits() % vocab;
  targets[rows - 1] = vocab - 1;
  const auto run = [&](int threads, int64_t from, int64_t count) {
    Result result = {std::vector<float>(count), std::vector<float>(count)};
    HeadLogprobs call = {count,
                         vocab,
                         hidden,
                         x.row(from),
                         hidden,
                         packed,
                         targets.data() + from,
                         temperature,
                         result.logprobs.data(),
                         result.entropies.data(),
                         nullptr};
    call.scratch = aligned_alloc(64, hir::head_bytes(call));
#pragma omp parallel num_threads(threads)
    expect(hir::head_logprobs(m, Team::region(), call), m, "memory");
    free(call.scratch);
    return result;
  };
  const Result result = run(2, 0, rows);
  for (int64_t r = 0; r < rows; r++) {
    double most = -INFINITY, sum = 0, entropy = 0, target = 0;
    std::vector<double> logits(vocab);
    for (int64_t v = 0; v < vocab; v++) {
      for (int64_t i = 0; i < hidden; i++) logits[v] += x(r, i) * w(v, i);
      logits[v] /= temperature;
      most = fmax(most, logits[v]);
    }
    for (double l : logits) sum += exp(l - most);
    for (double l : logits) entropy -= exp(l - most) / sum * (l - most - log(sum));
    target = logits[targets[r]] - most - log(sum);
    if (rows > 3 && r == 2) {
      expect(isnan(result.logprobs[r]), m, "a NaN", rows, vocab);
    } else {
      expect(fabs(result.logprobs[r] - target) <= 2e-5 * (1 + fabs(target)), m, "log-prob", rows, vocab);
      expect(fabs(result.entropies[r] - entropy) <= 5e-5, m, "entropy", rows, vocab);
    }
  }
  const auto same = [](const std::vector<float> &a, const std::vector<float> &b, int64_t from) {
    return memcmp(a.data(), b.data() + from, a.size() * sizeof(float)) == 0;
  };
  expect(same(run(3, 0, rows).logprobs, result.logprobs, 0), m, "any number of threads", rows, vocab);
  for (int64_t row = 0; row < rows; row += 7) {
    const Result one = run(1, row, 1);
    expect(same(one.logprobs, result.logprobs, row) && same(one.entropies, result.entropies, row), m, "a row alone", rows,
           vocab);
  }

  if (m.variant() != Variant::REFERENCE) {
    std::vector<float> logits(rows * vocab);
    hir::Sink sink;
    sink.y = logits.data();
    sink.y_stride = vocab;
    m.multiply(Team::alone(), {rows, vocab, hidden, x.data(), hidden, packed, sink});
    const hir::Backend &backend = m.variant() == Variant::AVX2 ? hir::avx2::backend : hir::avx512::backend;
    Result kernel = {std::vector<float>(rows), std::vector<float>(rows)};
    backend.token_logprob({logits.data(), rows, vocab, vocab, HIR_FLOAT32}, targets.data(), temperature,
                          kernel.logprobs.data(), kernel.entropies.data());
    for (int64_t r = 0; r < rows; r++) {
      if (isnan(kernel.logprobs[r])) continue;
      expect(kernel.logprobs[r] == result.logprobs[r] && kernel.entropies[r] == result.entropies[r], m,
             "as token_logprob of the logits", rows, vocab);
    }
  }
  free(packed);
}

}  // namespace

int main() {
  return check_variants("the head", [](const Matmul &m) {
    check(m, 1, 1, 1, 1);
    check(m, 5, 33, 17, 0.7);
    check(m, 100, 4099, 33, 1.3);
    check(m, 14, 9000, 64, 1);
  });
}
