// Checks the head: every variant against sums in double, and bit for bit against token_logprob on the logits of a product.
#include "head/head.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <random>
#include <vector>

#include "bf16.h"
#include "error.h"
#include "hir_kernels.h"
#include "kernels.h"

namespace {

using hir::bf16;
using hir::HeadLogprobs;
using hir::Matmul;
using hir::Team;
using hir::Variant;

int failures = 0;

void expect(bool holds, const Matmul &m, const char *what, int64_t a = 0, int64_t b = 0) {
  if (holds) return;
  if (++failures <= 40) {
    printf("FAILED: %s %s: %s (%lld, %lld)\n", m.name(), m.dtype() == HIR_FLOAT32 ? "float32" : "bfloat16", what,
           static_cast<long long>(a), static_cast<long long>(b));
  }
}

std::mt19937 random_bits(9);

// Elements of the dtype, and what they are.
struct Values {
  Values(int32_t dtype, int64_t count, float spread) : bytes(count * (dtype == HIR_FLOAT32 ? 4 : 2)), values(count) {
    std::normal_distribution<float> draw(0, spread);
    for (int64_t i = 0; i < count; i++) set(dtype, i, draw(random_bits));
  }
  void set(int32_t dtype, int64_t i, float x) {
    if (dtype == HIR_FLOAT32) {
      memcpy(bytes.data() + 4 * i, &x, 4);
      values[i] = x;
    } else {
      bf16 low;
      hir::from_float(x, &low);
      memcpy(bytes.data() + 2 * i, &low, 2);
      values[i] = hir::to_float(low);
    }
  }
  std::vector<char> bytes;
  std::vector<float> values;
};

struct Result {
  std::vector<float> logprobs, entropies;
};

void check(const Matmul &m, int64_t rows, int64_t vocab, int64_t hidden, double temperature) {
  Values x(m.dtype(), rows * hidden, 1), w(m.dtype(), vocab * hidden, 0.3f);
  if (rows > 3) x.set(m.dtype(), 2 * hidden, NAN);
  const hir::Weight weight = {w.bytes.data(), vocab, hidden, hidden, hir::Order::PLAIN};
  void *const packed = aligned_alloc(64, m.packed_bytes_forward(weight));
  m.pack_forward(Team::alone(), weight, packed);
  std::vector<int64_t> targets(rows);
  for (int64_t &t : targets) t = random_bits() % vocab;
  targets[rows - 1] = vocab - 1;
  const auto run = [&](int threads, int64_t from, int64_t count) {
    Result result = {std::vector<float>(count), std::vector<float>(count)};
    HeadLogprobs call = {count, vocab, hidden, x.bytes.data() + from * hidden * (m.dtype() == HIR_FLOAT32 ? 4 : 2), hidden,
                         packed, targets.data() + from, temperature, result.logprobs.data(), result.entropies.data(), nullptr};
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
      for (int64_t i = 0; i < hidden; i++) logits[v] += static_cast<double>(x.values[r * hidden + i]) * w.values[v * hidden + i];
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
    expect(same(one.logprobs, result.logprobs, row) && same(one.entropies, result.entropies, row), m, "a row alone", rows, vocab);
  }

  if (m.variant() != Variant::REFERENCE) {
    std::vector<float> logits(rows * vocab);
    hir::Sink sink;
    sink.y = logits.data();
    sink.y_stride = vocab;
    m.multiply(Team::alone(), {rows, vocab, hidden, x.bytes.data(), hidden, packed, sink});
    const hir::Backend &backend = m.variant() == Variant::AVX2 ? hir::avx2::backend : hir::avx512::backend;
    Result kernel = {std::vector<float>(rows), std::vector<float>(rows)};
    backend.token_logprob({logits.data(), rows, vocab, vocab, HIR_FLOAT32}, targets.data(), temperature, kernel.logprobs.data(),
                          kernel.entropies.data());
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
#if defined(HIR_EMULATE_TILES)
  const int first = static_cast<int>(Variant::AMX);
#else
  const int first = 0;
#endif
  for (int32_t dtype : {HIR_FLOAT32, HIR_BFLOAT16}) {
    for (int v = first; v < hir::VARIANTS; v++) {
      Matmul m;
      if (Matmul::of(static_cast<Variant>(v), dtype, &m) != HIR_OK) {
        printf("skipped: %s\n", hir_last_error());
        continue;
      }
      check(m, 1, 1, 1, 1);
      check(m, 5, 33, 17, 0.7);
      check(m, 100, 4099, 33, 1.3);
      check(m, 14, 9000, 64, 1);
      printf("%s %s\n", m.name(), dtype == HIR_FLOAT32 ? "float32" : "bfloat16");
    }
  }
  if (failures == 0) printf("all checks of the head passed\n");
  return failures == 0 ? 0 : 1;
}
