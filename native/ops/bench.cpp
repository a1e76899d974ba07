// Measures the operations on this machine, on one thread and in processor time, so that other load matters little:
//   ops_bench [variant]     GFLOP/s of products and attention against the ceiling, and the reading of weights by few rows
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <vector>

#include "attention/attention.h"
#include "bf16.h"
#include "hir_kernels.h"
#include "matmul/matmul.h"

namespace {

using namespace hir;

constexpr int ROUNDS = 5;

double processor_time() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <class Work>
double best_of(const Work &work) {
  double best = INFINITY;
  for (int i = 0; i < ROUNDS; i++) {
    const double start = processor_time();
    work();
    best = std::min(best, processor_time() - start);
  }
  return best;
}

// Memory on large pages, of numbers in (-0.5, 0.5) of a dtype.
class Numbers {
 public:
  Numbers(int32_t dtype, int64_t count) {
    constexpr size_t LARGE_PAGE = 2 << 20;
    const size_t bytes = static_cast<size_t>(count) * (dtype == HIR_FLOAT32 ? 4 : 2);
    memory = aligned_alloc(LARGE_PAGE, (bytes + LARGE_PAGE) / LARGE_PAGE * LARGE_PAGE);
    madvise(memory, bytes, MADV_HUGEPAGE);
    uint32_t seed = 1;
    for (int64_t i = 0; i < count; i++) {
      seed = seed * 1664525 + 1013904223;
      const float x = static_cast<float>(seed >> 8) * 0x1p-24f - 0.5f;
      dtype == HIR_FLOAT32 ? from_float(x, static_cast<float *>(memory) + i)
                           : from_float(x, static_cast<bf16 *>(memory) + i);
    }
  }
  ~Numbers() { free(memory); }
  Numbers(const Numbers &) = delete;

  void *memory;
};

void products(const Matmul &m, double ceiling, const char *name, int64_t n, int64_t k) {
  const int64_t rows = 2048;
  const int32_t type = m.dtype();
  const Numbers x(type, rows * k), w(type, n * k), dy(type, rows * n);
  Numbers y(type, rows * n), dx(type, rows * k), dw(HIR_FLOAT32, n * k);
  const Weight weight = {w.memory, n, k, k, Order::PLAIN};
  const Numbers forward(type, m.packed_bytes_forward(weight) / 2), backward(type, m.packed_bytes_backward(weight) / 2);
  m.pack_forward(Team::alone(), weight, forward.memory);
  m.pack_backward(Team::alone(), weight, forward.memory, backward.memory);
  Sink to;
  to.dtype = type;
  to.y = y.memory;
  to.y_stride = n;
  Sink back = to;
  back.y = dx.memory;
  back.y_stride = k;
  const double times[] = {
      best_of([&] { m.multiply(Team::alone(), {rows, n, k, x.memory, k, forward.memory, to}); }),
      best_of([&] { m.multiply(Team::alone(), {rows, k, n, dy.memory, n, backward.memory, back}); }), best_of([&] {
        m.accumulate(Team::alone(),
                     {rows, n, k, dy.memory, n, x.memory, k, static_cast<float *>(dw.memory), k, Order::PLAIN});
      })};
  printf("  %-22s %5lld x %4lld", name, static_cast<long long>(n), static_cast<long long>(k));
  for (double time : times) {
    const double rate = 2e-9 * static_cast<double>(rows * n * k) / time;
    printf("   %6.1f (%2.0f%%)", rate, 100 * rate / ceiling);
  }
  printf("\n");
}

// Weights from memory, for few rows.
void reading(const Matmul &m, int64_t n, int64_t k) {
  const Weight weight = {nullptr, n, k, k, Order::PLAIN};
  const int64_t bytes = m.packed_bytes_forward(weight), copies = (256 << 20) / bytes;
  const Numbers weights(HIR_FLOAT32, copies * bytes / 4), x(m.dtype(), 96 * k);
  Numbers y(HIR_FLOAT32, 96 * n);
  printf("  few rows, %lld x %lld, GB/s of weights:", static_cast<long long>(n), static_cast<long long>(k));
  for (int64_t rows : {1, 4, 8, 16, 32, 96}) {
    Sink sink;
    sink.y = y.memory;
    sink.y_stride = n;
    const double time = best_of([&] {
      for (int64_t c = 0; c < copies; c++) {
        m.multiply(Team::alone(), {rows, n, k, x.memory, k, static_cast<char *>(weights.memory) + c * bytes, sink});
      }
    });
    printf("  %lld: %.1f", static_cast<long long>(rows), 1e-9 * static_cast<double>(copies * bytes) / time);
  }
  printf("\n");
}

void attention(const Matmul &m, double ceiling, int64_t dim, int64_t tokens) {
  Attention a;
  Attention::of(m, dim, &a);
  constexpr int64_t COUNT = 64;
  const int64_t blocks = (tokens + KEYS - 1) / KEYS, part = a.part_bytes(), size = m.dtype() == HIR_FLOAT32 ? 4 : 2;
  const Numbers x(m.dtype(), tokens * dim), packed(m.dtype(), 4 * blocks * part / size);
  Numbers out(m.dtype(), tokens * dim), gradients(HIR_FLOAT32, (COUNT + 2 * blocks * KEYS) * dim);
  const auto at = [&](const Numbers &n, int64_t row) { return static_cast<char *>(n.memory) + row * dim * size; };
  std::vector<const char *> places;
  for (int64_t b = 0; b < blocks; b++) {
    char *const block = static_cast<char *>(packed.memory) + b * 4 * part;
    places.push_back(block);
    for (int32_t p = 0; p < 4; p++) {
      a.pack(static_cast<Part>(p), at(x, b * KEYS), dim, std::min(KEYS, tokens - b * KEYS), block + p * part);
    }
  }
  std::vector<int64_t> seen;
  std::vector<float> sums(tokens), along(tokens);
  std::vector<void *> outs;
  std::vector<float *> sum_places;
  for (int64_t t = 0; t < tokens; t++) {
    seen.push_back(t + 1);
    outs.push_back(at(out, t));
    sum_places.push_back(&sums[t]);
  }
  const std::vector<const char *const *> each(tokens, places.data());
  const auto queries = [&](int64_t t) {
    return Queries{std::min(COUNT, tokens - t), at(x, t), dim, &seen[t], &each[t], blocks, 0};
  };
  const double forward = best_of([&] {
    for (int64_t t = 0; t < tokens; t += COUNT) a.forward({queries(t), &outs[t], &sum_places[t]});
  });
  float *const flow = static_cast<float *>(gradients.memory);
  const double backward = best_of([&] {
    for (int64_t t = 0; t < tokens; t += COUNT) {
      a.backward(
          {queries(t), at(x, t), &sums[t], &along[t], flow, flow + COUNT * dim, flow + (COUNT + blocks * KEYS) * dim, dim});
    }
  });
  // The arithmetic that the causal mask leaves: two products forward, five backward.
  const double work = 2e-9 * static_cast<double>(dim * tokens * (tokens + 1));
  printf("  attention, head of %lld, %lld tokens: forward %.1f (%.0f%%), backward %.1f (%.0f%%)\n",
         static_cast<long long>(dim), static_cast<long long>(tokens), work / forward, 100 * work / forward / ceiling,
         2.5 * work / backward, 250 * work / backward / ceiling);
}

}  // namespace

int main(int count, char **arguments) {
  for (int32_t dtype : {HIR_FLOAT32, HIR_BFLOAT16}) {
    for (int v = 1; v < VARIANTS; v++) {
      Matmul m;
      if (Matmul::of(static_cast<Variant>(v), dtype, &m) != HIR_OK) continue;
      if (count > 1 && strcmp(arguments[1], m.name()) != 0) continue;
      const double ceiling = m.ceiling();
      printf("%s %s: ceiling %.0f GFLOP/s; forward, input's gradient, weight's gradient of 2048 rows\n", m.name(),
             dtype == HIR_FLOAT32 ? "float32" : "bfloat16", ceiling);
      products(m, ceiling, "SmolLM2-135M q,k,v", 960, 576);
      products(m, ceiling, "SmolLM2-135M o", 576, 576);
      products(m, ceiling, "SmolLM2-135M gate,up", 3072, 576);
      products(m, ceiling, "SmolLM2-135M down", 576, 1536);
      products(m, ceiling, "half-0.25b gate,up", 4864, 896);
      products(m, ceiling, "half-0.25b down", 896, 2432);
      products(m, ceiling, "Qwen3-0.6B q,k,v", 4096, 1024);
      products(m, ceiling, "Qwen3-0.6B gate,up", 6144, 1024);
      products(m, ceiling, "Qwen3-0.6B down", 1024, 3072);
      reading(m, 3072, 576);
      for (int64_t dim : {64, 128}) {
        for (int64_t tokens : {256, 1024, 4096}) attention(m, ceiling, dim, tokens);
      }
    }
  }
  return 0;
}
