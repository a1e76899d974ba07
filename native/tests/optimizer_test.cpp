// Native checks of AdamW over narrow state: split masters are restored exactly; every backend agrees with the baseline,
// and with itself on any number of threads; random rounding is right on average; and 8-bit moments of a zero gradient
// move nothing.
#include <math.h>
#include <omp.h>
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
  if (failures < 40) printf("FAILED: %s (backend %d, %lld): %s\n", what, backend, detail, hir_last_error());
}

template <class T>
hir_address address(const std::vector<T> &x) {
  return reinterpret_cast<hir_address>(x.data());
}

float number(uint32_t word) {
  float x;
  memcpy(&x, &word, 4);
  return x;
}

float widened(uint16_t half) { return number(static_cast<uint32_t>(half) << 16); }

// A buffer with its optimizer state; moments are bytes of any type.
struct State {
  int64_t count;
  bool split;
  int moments;
  std::vector<float> params, grads, m_scales, v_scales;
  std::vector<uint16_t> weights, residues;
  std::vector<uint8_t> m, v;

  State(int64_t count, bool split, int moments)
      : count(count), split(split), moments(moments), params(count), grads(count), m_scales((count + 255) / 256),
        v_scales((count + 255) / 256), weights(count), residues(count), m(4 * count), v(4 * count) {}

  void set(int backend) {
    if (split) hir_split(backend, address(params), count, address(weights), address(residues));
  }

  int step(int backend, int64_t number, double rate, double decay, int64_t first = 0) {
    hir_adamw_buffers b = {};
    b.params = split ? 0 : address(params);
    b.weights = address(weights);
    b.residues = split ? address(residues) : 0;
    b.grads = address(grads);
    b.m = address(m);
    b.v = address(v);
    b.m_scales = address(m_scales);
    b.v_scales = address(v_scales);
    b.count = count;
    b.first = first;
    b.grad_dtype = HIR_FLOAT32;
    b.moment_dtype = moments;
    const int code = hir_adamw_narrow(backend, 0, 0, &b, rate, 0.9, 0.999, 1e-8, decay, 1, number);
    if (split) hir_join(backend, address(weights), address(residues), count, address(params));
    return code;
  }

  float second(int64_t i) const {
    if (moments == HIR_FLOAT32) return reinterpret_cast<const float *>(v.data())[i];
    return widened(reinterpret_cast<const uint16_t *>(v.data())[i]);
  }

  bool operator==(const State &o) const {
    return memcmp(params.data(), o.params.data(), 4 * count) == 0 && weights == o.weights && residues == o.residues &&
           m == o.m && v == o.v && memcmp(m_scales.data(), o.m_scales.data(), 4 * m_scales.size()) == 0 &&
           memcmp(v_scales.data(), o.v_scales.data(), 4 * v_scales.size()) == 0;
  }
};

void split_and_join() {
  for (uint32_t high : {0x0000u, 0x007fu, 0x3f80u, 0x3f81u, 0x7f7fu, 0x7f80u, 0x7fc0u}) {
    for (uint32_t sign : {0u, 0x8000u}) {
      std::vector<float> masters(65536), back(65536);
      std::vector<uint16_t> weights(65536), residues(65536);
      for (uint32_t low = 0; low < 65536; low++) masters[low] = number((sign | high) << 16 | low);
      hir_split(HIR_BASELINE, address(masters), 65536, address(weights), address(residues));
      hir_join(HIR_BASELINE, address(weights), address(residues), 65536, address(back));
      expect(memcmp(masters.data(), back.data(), 4 * 65536) == 0, "masters come back", HIR_BASELINE, high);
      for (uint32_t low = 0; low < 65536; low++) {
        const uint16_t nearest = static_cast<uint16_t>((sign | high) + (low > 0x8000 ? 1 : 0));
        expect(weights[low] == nearest, "weights are the nearest", HIR_BASELINE, low);
      }
    }
  }
  // Code that takes halves for rounded up would restore 0.998046875 here.
  std::vector<float> tie = {1.00390625f}, back = {0};
  std::vector<uint16_t> weight(1), residue(1);
  hir_split(HIR_BASELINE, address(tie), 1, address(weight), address(residue));
  hir_join(HIR_BASELINE, address(weight), address(residue), 1, address(back));
  expect(weight[0] == 0x3f80 && residue[0] == 0x8000 && back[0] == 1.00390625f, "a tie", HIR_BASELINE, residue[0]);
}

void fill(State *s, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 1);
  for (int64_t i = 0; i < s->count; i++) {
    s->params[i] = normal(random);
    s->grads[i] = random() % 11 == 0 ? 0 : normal(random) * expf(4 * normal(random));
  }
}

// Three steps on different gradients.
State run(int backend, int64_t count, bool split, int moments) {
  State s(count, split, moments);
  fill(&s, 5);
  s.set(backend);
  for (int step = 1; step <= 3; step++) {
    expect(s.step(backend, step, 1e-2, 0.1, 7) == HIR_OK, "a step", backend, step);
    for (float &g : s.grads) g = 0.7f * g - 0.1f;
  }
  return s;
}

void against_baseline(int backend) {
  for (int64_t count : {1, 63, 255, 256, 257, 1000, 66000}) {
    for (bool split : {false, true}) {
      for (int moments : {HIR_FLOAT32, HIR_BFLOAT16, HIR_INT8}) {
        const State expected = run(HIR_BASELINE, count, split, moments);
        omp_set_num_threads(1);
        const State one = run(backend, count, split, moments);
        omp_set_num_threads(3);
        expect(one == run(backend, count, split, moments), "the same on any number of threads", backend, count);
        // A sum that is rounded slightly differently falls on the other side of the noise once in thousands.
        int64_t apart = 0;
        for (int64_t i = 0; i < count; i++) apart += fabsf(one.params[i] - expected.params[i]) > 1e-6f;
        expect(apart <= count / 500, "the baseline's masters", backend, apart);
        int64_t codes = 0;
        const int64_t bytes = moments == HIR_INT8 ? count : moments == HIR_BFLOAT16 ? 2 * count : 0;
        for (int64_t i = 0; i < bytes; i++) codes += one.m[i] != expected.m[i] || one.v[i] != expected.v[i];
        expect(codes <= count / 200, "the baseline's moments", backend, codes);
      }
    }
  }
}

// With gradient 0, weights decay to 1/e in 1 / (rate decay) steps, although one step is far below the spacing of
// bfloat16. Second moments decay likewise.
void small_steps(int backend) {
  State s(4096, true, HIR_BFLOAT16);
  for (float &p : s.params) p = 1;
  s.set(backend);
  for (uint8_t *v = s.v.data(); v < s.v.data() + 2 * s.count; v += 2) memcpy(v, "\x80\x3f", 2);
  for (int step = 1; step <= 1000; step++) s.step(backend, step, 1e-2, 0.1);
  double weight = 0, second = 0;
  for (int64_t i = 0; i < s.count; i++) {
    weight += s.params[i];
    second += s.second(i);
  }
  expect(fabs(weight / 4096 / exp(-1) - 1) < 0.01, "weights decay", backend, static_cast<long long>(1e6 * weight / 4096));
  expect(fabs(second / 4096 / pow(0.999, 1000) - 1) < 0.01, "second moments decay", backend,
         static_cast<long long>(1e6 * second / 4096));
}

void extremes(int backend) {
  State s(256, false, HIR_BFLOAT16);
  for (float &g : s.grads) g = 1.8e19f;  // squares near the largest float
  for (int step = 1; step <= 5; step++) {
    for (int64_t i = 0; i < s.count; i++) reinterpret_cast<uint16_t *>(s.v.data())[i] = 0x7f7f;
    s.step(backend, step, 1e-3, 0);
    for (int64_t i = 0; i < s.count; i++) expect(isfinite(s.second(i)), "the largest number stays finite", backend, i);
  }
  State nan(300, true, HIR_INT8);
  nan.grads[290] = NAN;
  nan.set(backend);
  expect(nan.step(backend, 1, 1e-3, 0) == HIR_NAN && strstr(hir_last_error(), "290"), "a NaN is named", backend, 290);
  State huge(300, true, HIR_FLOAT32);
  huge.params[17] = 3.4e38f;  // nearer to infinity than to any finite bfloat16
  huge.set(backend);
  expect(huge.step(backend, 1, 1e-3, 0) == HIR_NAN && strstr(hir_last_error(), " 17 "), "an overflow is named", backend, 17);
}

void near_zero(int backend) {
  State s(256, false, HIR_INT8);
  for (int step = 1; step <= 300; step++) {
    std::fill(s.grads.begin(), s.grads.end(), 0.0f);
    if (step <= 100) {
      s.grads[3] = 1;
      s.grads[4] = 1e-12f;
    }
    s.step(backend, step, 1e-2, 0);
    for (int64_t i = 0; i < s.count; i++) {
      expect(i == 3 || i == 4 || s.params[i] == 0, "a zero gradient moves nothing", backend, i);
      expect(s.v[i] != 0 || (s.m[i] & 127) == 0, "no first moment without a second", backend, i);
    }
    // AdamW moves a weight by hardly more than the learning rate per step.
    expect(fabsf(s.params[4]) <= 1.1e-2f * static_cast<float>(step), "a tiny gradient moves little", backend, step);
  }
  expect(s.params[3] < -0.9f, "a large gradient moves", backend, static_cast<long long>(1000 * s.params[3]));
}

}  // namespace

int main() {
  split_and_join();
  for (int backend : {HIR_AVX2, HIR_AVX512}) {
    if (hir_backend_usable(backend) != HIR_OK) continue;
    against_baseline(backend);
    small_steps(backend);
    extremes(backend);
    near_zero(backend);
  }
  near_zero(HIR_BASELINE);
  extremes(HIR_BASELINE);
  if (hir_backend_usable(HIR_AVX512) == HIR_OK) {
    for (int moments : {HIR_BFLOAT16, HIR_INT8}) {
      expect(run(HIR_AVX2, 5000, true, moments) == run(HIR_AVX512, 5000, true, moments), "one result of all sets", HIR_AVX2,
             moments);
    }
  }
  printf(failures ? "%d failures\n" : "narrow optimizer: all passed\n", failures);
  return failures ? 1 : 0;
}
