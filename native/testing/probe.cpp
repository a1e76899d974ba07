// The machine's peak rates, which benchmarks compare the kernels with.
#include "probe.h"

#include "hir_testing.h"
#include "vec.h"

namespace {

constexpr int64_t CHUNK = 1 << 16;

// An unused result must not let the compiler drop the work.
static inline void keep(Vec x) { asm volatile("" : : "v"(x)); }

template <class Body>
void over_chunks(int64_t count, const Body &body) {
#pragma omp parallel for schedule(static)
  for (int64_t start = 0; start < count; start += CHUNK) {
    body(start, count - start < CHUNK ? count - start : CHUNK);
  }
}

void read(const float *x, int64_t count) {
  over_chunks(count, [x](int64_t start, int64_t n) {
    Vec s0 = vec(0), s1 = s0, s2 = s0, s3 = s0;
    for (int64_t i = start; i + 4 * WIDTH <= start + n; i += 4 * WIDTH) {
      s0 = add(s0, load(x + i));
      s1 = add(s1, load(x + i + WIDTH));
      s2 = add(s2, load(x + i + 2 * WIDTH));
      s3 = add(s3, load(x + i + 3 * WIDTH));
    }
    keep(add(add(s0, s1), add(s2, s3)));
  });
}

void copy(const float *x, float *y, int64_t count) {
  over_chunks(count, [x, y](int64_t start, int64_t n) {
    for (int64_t i = start; i + WIDTH <= start + n; i += WIDTH) store(y + i, load(x + i));
  });
}

void in_place(float *x, int64_t count) {
  over_chunks(count, [x](int64_t start, int64_t n) {
    for (int64_t i = start; i + WIDTH <= start + n; i += WIDTH) store(x + i, mul(load(x + i), vec(0.999f)));
  });
}

// `count` exponentials of numbers in the first-level cache.
void exponentials(int64_t count) {
#pragma omp parallel
  {
    float x[2048];
    for (int i = 0; i < 2048; i++) x[i] = -0.01f * static_cast<float>(i);
#pragma omp for schedule(static)
    for (int64_t start = 0; start < count; start += 2048) {
      Vec s0 = vec(0), s1 = s0, s2 = s0, s3 = s0;
      for (int64_t i = 0; i < 2048; i += 4 * WIDTH) {
        s0 = add(s0, exp2(load(x + i)));
        s1 = add(s1, exp2(load(x + i + WIDTH)));
        s2 = add(s2, exp2(load(x + i + 2 * WIDTH)));
        s3 = add(s3, exp2(load(x + i + 3 * WIDTH)));
      }
      keep(add(add(s0, s1), add(s2, s3)));
      asm volatile("" : : "r"(x) : "memory");  // the next turn may read other numbers
    }
  }
}

}  // namespace

namespace hir::HIR_ISA {

void probe(int32_t what, float *x, float *y, int64_t count) {
  switch (what) {
    case HIR_PROBE_READ: return read(x, count);
    case HIR_PROBE_COPY: return copy(x, y, count);
    case HIR_PROBE_IN_PLACE: return in_place(x, count);
    case HIR_PROBE_EXP: return exponentials(count);
  }
}

}  // namespace hir::HIR_ISA
