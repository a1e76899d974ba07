// Native checks: known answers of Philox, every backend against the baseline on awkward shapes, independence of the
// number of threads, errors. Golden and statistical tests of the same backends are in java/kernels.
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include <random>
#include <string>
#include <vector>

#include "hir_testing.h"
#include "philox.h"

namespace {

int failures = 0;

void expect(bool holds, const char *what, int backend, long long detail) {
  if (holds) return;
  failures++;
  printf("FAILED: %s (backend %d, %lld): %s\n", what, backend, detail, hir_last_error());
}

template <class T>
hir_address address(const T *p) {
  return reinterpret_cast<hir_address>(p);
}

uint16_t to_bf16(float x) {
  uint32_t word;
  memcpy(&word, &x, 4);
  return static_cast<uint16_t>((word + 0x7fff + ((word >> 16) & 1)) >> 16);
}

std::vector<float> random_logits(int64_t count, float spread, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> x(count);
  for (float &value : x) value = random() % 37 == 0 ? -INFINITY : normal(random);
  return x;
}

// Salmon et al., kat_vectors of Random123: philox4x32-10.
void philox_known_answers() {
  const uint32_t counters[3][4] = {
      {0, 0, 0, 0}, {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}};
  const uint64_t keys[3] = {0, 0xffffffffffffffffull, 0x299f31d0a4093822ull};
  const uint32_t answers[3][4] = {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
                                  {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
                                  {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
  for (int i = 0; i < 3; i++) {
    uint32_t out[4];
    hir::philox4x32(keys[i], counters[i], out);
    expect(memcmp(out, answers[i], sizeof out) == 0, "philox known answer", HIR_BASELINE, i);
  }
}

struct Outcome {
  std::vector<float> logprobs, entropies, loss_logits;
  std::vector<int64_t> tokens;
  double sums[7];
};

Outcome everything(int backend, int64_t rows, int64_t cols, int64_t stride, int dtype, unsigned seed, int device = 0) {
  std::vector<float> x = random_logits(rows * stride, seed % 2 ? 3.0f : 400.0f, seed);
  std::mt19937 random(seed + 1);
  std::vector<int64_t> targets(rows);
  std::vector<float> old_logprobs(rows), advantages(rows), weights(rows), ref(rows);
  std::vector<uint32_t> counters(4 * rows);
  for (int64_t r = 0; r < rows; r++) {
    targets[r] = random() % cols;
    x[r * stride + targets[r]] = 1.0f;
    old_logprobs[r] = -2.0f;
    ref[r] = -2.5f;
    advantages[r] = static_cast<float>(random() % 200) / 100 - 1;
    weights[r] = r % 5 == 3 ? 0.0f : 0.1f;
    for (int i = 0; i < 4; i++) counters[4 * r + i] = random();
  }
  std::vector<uint16_t> half(x.size());
  for (size_t i = 0; i < x.size(); i++) half[i] = to_bf16(x[i]);
  const hir_address data = dtype == HIR_BFLOAT16 ? address(half.data()) : address(x.data());

  Outcome o;
  o.logprobs.resize(rows);
  o.entropies.resize(rows);
  o.tokens.resize(rows);
  std::vector<float> sampled(rows), spread(rows);
  int code = hir_token_logprob(backend, device, 0, data, rows, cols, stride, dtype, address(targets.data()), 0.8,
                               address(o.logprobs.data()), address(o.entropies.data()));
  expect(code == HIR_OK, "token_logprob", backend, cols);
  code = hir_sample(backend, device, 0, data, rows, cols, stride, dtype, 0.8, cols / 2, 0.9, 1e-4, 42,
                    address(counters.data()), address(o.tokens.data()), address(sampled.data()), address(spread.data()));
  expect(code == HIR_OK, "sample", backend, cols);
  expect(hir_synchronize(backend, device, 0) == HIR_OK && spread == o.entropies, "entropies as scored", backend, cols);
  code = hir_policy_loss(backend, device, 0, data, rows, cols, stride, dtype, address(targets.data()),
                         address(old_logprobs.data()), address(ref.data()), address(advantages.data()),
                         address(weights.data()), 0.8, 0.2, 0.28, 3.0, 0.01, HIR_KL_K3, 0.1, 0, 0, o.sums);
  expect(code == HIR_OK, "policy_loss", backend, cols);
  expect(hir_synchronize(backend, device, 0) == HIR_OK, "synchronize", backend, cols);
  o.loss_logits.resize(x.size());
  for (size_t i = 0; i < x.size(); i++) {
    uint32_t word = static_cast<uint32_t>(half[i]) << 16;
    if (dtype == HIR_BFLOAT16) {
      memcpy(&o.loss_logits[i], &word, 4);
    } else {
      o.loss_logits[i] = x[i];
    }
  }
  return o;
}

// Ways to run a backend that must give the same bits: on 1 and 3 threads, or on the emulator's devices, which run the
// threads of a block in different orders and have different amounts of shared memory.
void against_baseline(int backend) {
  const bool emulated = backend == HIR_CUDA_EMULATED;
  unsigned seed = 7;
  for (int dtype : {HIR_FLOAT32, HIR_BFLOAT16}) {
    for (int64_t cols : {1, 2, 15, 16, 17, 63, 1000, 4096, 4097, 32003, 40009, 151936}) {
      for (int64_t rows : {1, 3, 17}) {
        if (cols * rows > 600'000) continue;
        const int64_t stride = cols + seed % 3;
        seed++;
        const Outcome expected = everything(HIR_BASELINE, rows, cols, stride, dtype, seed);
        omp_set_num_threads(1);
        const Outcome one = everything(backend, rows, cols, stride, dtype, seed);
        omp_set_num_threads(3);
        const Outcome others[2] = {everything(backend, rows, cols, stride, dtype, seed, emulated ? 1 : 0),
                                   everything(backend, rows, cols, stride, dtype, seed, emulated ? 2 : 0)};
        const float slack = dtype == HIR_BFLOAT16 ? 1e-2f : 1e-5f;
        for (int64_t r = 0; r < rows; r++) {
          const float scale = 1 + fabsf(expected.logprobs[r]);
          expect(fabsf(one.logprobs[r] - expected.logprobs[r]) <= 2e-6f * scale, "log-prob", backend, cols);
          expect(fabsf(one.entropies[r] - expected.entropies[r]) <= 1e-5f, "entropy", backend, cols);
        }
        for (size_t i = 0; i < one.loss_logits.size(); i++) {
          const bool padding = static_cast<int64_t>(i) % stride >= cols;
          const float a = one.loss_logits[i], b = expected.loss_logits[i];
          expect(padding ? a == b : fabsf(a - b) <= slack * fabsf(b) + 1e-6f, "gradient", backend, cols);
        }
        for (int i = 0; i < 7; i++) {
          expect(fabs(one.sums[i] - expected.sums[i]) <= 1e-5 * (1 + fabs(expected.sums[i])), "sums", backend, i);
        }
        for (const Outcome &other : others) {
          expect(one.logprobs == other.logprobs && one.entropies == other.entropies && one.tokens == other.tokens &&
                     one.loss_logits == other.loss_logits && memcmp(one.sums, other.sums, sizeof one.sums) == 0,
                 "the same however it is run", backend, cols);
        }
      }
    }
  }
}

// Tokens drawn, against the baseline's: without filters, with few candidates, with too many to rank, and with ties where
// top-k and top-p cut. Rows of several segments, with ends that are no whole vectors.
void draws(int backend) {
  struct Filters {
    double temperature;
    int64_t top_k;
    double top_p, min_p;
  };
  const Filters all[] = {{1, 0, 1, 0},      {0, 0, 1, 0},      {0.7, 50, 1, 0},    {0.8, 50, 0.95, 0.01}, {1, 1, 1, 0},
                         {1, 0, 0.9, 0},    {1, 0, 0.3, 0},    {1, 0, 1, 0.05},    {1, 0, 0.99, 0.2},     {2, 700, 0.9, 0},
                         {1, 2000, 0.8, 0}, {1, 40, 0.7, 0.3}, {0.05, 50, 0.9, 0}, {1, 0, 1e-9, 0},       {1, 5, 0.55, 1}};
  const int64_t rows = 6;
  unsigned seed = 100;
  for (int dtype : {HIR_FLOAT32, HIR_BFLOAT16}) {
    for (int64_t cols : {1, 7, 300, 1031, 4099, 20011}) {
      for (bool ties : {false, true}) {
        const int64_t stride = cols + seed % 4;
        std::vector<float> x = random_logits(rows * stride, 3, seed++);
        std::vector<uint16_t> half(x.size());
        for (size_t i = 0; i < x.size(); i++) {
          if (ties) x[i] = roundf(x[i]);
          half[i] = to_bf16(x[i]);
        }
        for (int64_t r = 0; r < rows; r++) half[r * stride] = to_bf16(x[r * stride] = 0);  // never all masked
        std::mt19937 random(seed);
        std::vector<uint32_t> counters(4 * rows);
        for (uint32_t &counter : counters) counter = random();
        const hir_address data = dtype == HIR_BFLOAT16 ? address(half.data()) : address(x.data());
        for (const Filters &f : all) {
          std::vector<int64_t> wanted(rows), tokens(rows);
          std::vector<float> wanted_logprobs(rows), logprobs(rows);
          const auto sample = [&](int by, int device, std::vector<int64_t> &to, std::vector<float> &logs) {
            const int code = hir_sample(by, device, 0, data, rows, cols, stride, dtype, f.temperature, f.top_k, f.top_p,
                                        f.min_p, 42, address(counters.data()), address(to.data()), address(logs.data()), 0);
            expect(code == HIR_OK && hir_synchronize(by, device, 0) == HIR_OK, "sample", by, cols);
          };
          sample(HIR_BASELINE, 0, wanted, wanted_logprobs);
          for (int device = 0; device < (backend == HIR_CUDA_EMULATED ? 3 : 1); device++) {
            sample(backend, device, tokens, logprobs);
            expect(tokens == wanted, "tokens drawn", backend, cols * 100 + (&f - all));
            for (int64_t r = 0; r < rows; r++) {
              expect(fabsf(logprobs[r] - wanted_logprobs[r]) <= 1e-5f * (1 + fabsf(wanted_logprobs[r])), "its log-prob",
                     backend, cols);
            }
          }
        }
      }
    }
  }
}

void errors(int backend) {
  std::vector<float> x(40, 1.0f);
  std::vector<int64_t> targets(2, 3);
  std::vector<float> out(2);
  auto call = [&](int64_t stride) {
    const int code = hir_token_logprob(backend, 0, 0, address(x.data()), 2, 20, stride, HIR_FLOAT32, address(targets.data()),
                                       1.0, address(out.data()), 0);
    return code == HIR_OK ? hir_synchronize(backend, 0, 0) : code;
  };
  expect(call(20) == HIR_OK, "plain call", backend, 0);
  expect(call(7) == HIR_INVALID, "overlapping rows", backend, 0);
  targets[1] = 20;
  expect(call(20) == HIR_INVALID && strstr(hir_last_error(), "row 1"), "target out of range", backend, 0);
  targets[1] = 0;
  x[25] = NAN;
  expect(call(20) == HIR_NAN && strstr(hir_last_error(), backend == HIR_CUDA_EMULATED ? "row 1" : "logit 5 of row 1"), "NaN",
         backend, 0);
  // A NaN with a payload: integer arithmetic on its bits must not lose it.
  const uint32_t word = 0x7fc00001;
  memcpy(&x[25], &word, 4);
  expect(call(20) == HIR_NAN, "NaN with a payload", backend, 0);
  x[25] = INFINITY;
  expect(call(20) == HIR_NAN, "+inf", backend, 0);
  for (int i = 20; i < 40; i++) x[i] = -INFINITY;
  expect(call(20) == HIR_NAN && strstr(hir_last_error(), "no finite logit"), "all masked", backend, 0);
  x[25] = NAN;
  expect(call(20) == HIR_NAN, "NaN among masked logits", backend, 0);
}

}  // namespace

void variants_of_products() {
  const auto is = [](int backend, int dtype, const char *name) {
    const char *got = hir_matmul_variant(backend, dtype);
    return got && strcmp(got, name) == 0;
  };
  for (int dtype : {HIR_FLOAT32, HIR_BFLOAT16}) {
    expect(is(HIR_BASELINE, dtype, "reference"), "products of the baseline", HIR_BASELINE, dtype);
    for (int backend : {HIR_AVX2, HIR_AVX512}) {
      if (hir_backend_usable(backend) != HIR_OK) continue;
      expect(hir_matmul_ceiling(backend, dtype) > 0, "ceiling of products", backend, dtype);
      const char *name = backend == HIR_AVX2 ? "avx2" : "avx512";
      if (backend == HIR_AVX2 || dtype == HIR_FLOAT32) expect(is(backend, dtype, name), "products", backend, dtype);
    }
  }
  expect(!hir_matmul_variant(HIR_CUDA_EMULATED, HIR_FLOAT32), "no products of a GPU's", HIR_CUDA_EMULATED, 0);
  expect(!hir_matmul_variant(HIR_AVX2, 5), "no products of an unknown dtype", HIR_AVX2, 5);
}

int main() {
  philox_known_answers();
  expect(hir_backend_usable(HIR_CUDA_EMULATED) == HIR_UNSUPPORTED, "the library for users has no emulator",
         HIR_CUDA_EMULATED, 0);
  hir_emulate();
  variants_of_products();
  for (int backend : {HIR_BASELINE, HIR_AVX2, HIR_AVX512, HIR_CUDA_EMULATED}) {
    if (hir_backend_usable(backend) != HIR_OK) {
      printf("skipped: %s\n", hir_last_error());
      continue;
    }
    if (backend != HIR_BASELINE) {
      against_baseline(backend);
      draws(backend);
    }
    errors(backend);
  }
  expect(hir_backend_usable(99) == HIR_INVALID, "unknown backend", 99, 0);
  if (failures == 0) printf("all native checks passed\n");
  return failures == 0 ? 0 : 1;
}
