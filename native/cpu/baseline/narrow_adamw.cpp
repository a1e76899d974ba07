// AdamW over narrow state in double precision, from its definition: a number to store lies between two that can be stored,
// found by trying them all, and goes up if its place between them exceeds the noise.
#include "narrow.h"

#include "philox.h"
#include "reference.h"

namespace {

using hir::NarrowAdamW;

// 16 random bits as a fraction of 1.
double noise(const NarrowAdamW &a, int64_t i, bool second) {
  const int64_t group = i / hir::NOISE_GROUP, within = i % hir::NOISE_GROUP;
  uint32_t counter[4], words[4];
  hir::noise_counter({static_cast<uint64_t>(a.first), static_cast<uint32_t>(a.rates.step)}, group,
                     static_cast<uint32_t>(within % 16), counter);
  hir::philox4x32(hir::NOISE_KEY, counter, words);
  const uint32_t word = words[within / 16];
  return (second ? word >> 16 : word & 0xffff) / 65536.0;
}

bool goes_up(double x, double low, double high, double fraction) { return (x - low) / (high - low) >= 1 - fraction; }

double stored_bf16(double x, double fraction, hir::bf16 *out) {
  const float value = static_cast<float>(x);
  hir::bf16 low = {static_cast<uint16_t>(hir::float_bits(value) >> 16)}, high = {static_cast<uint16_t>(low.bits + 1)};
  const double a = fabs(static_cast<double>(hir::to_float(low))), b = fabs(static_cast<double>(hir::to_float(high)));
  *out = isfinite(b) && goes_up(fabs(value), a, b, fraction) ? high : low;
  return hir::to_float(*out);
}

// The code of x >= 0 among `count` ascending values.
uint8_t stored_code(double x, double fraction, const double *values, int count, bool never_zero) {
  int below = 0;
  while (below + 1 < count && values[below + 1] <= x) below++;
  if (below == 0 && x > 0 && never_zero) return 1;
  if (below + 1 == count || x == values[below]) return static_cast<uint8_t>(below);
  // Below code 1 the noise is compared from its other end.
  const bool up = below == 0 ? x / values[1] > fraction : goes_up(x, values[below], values[below + 1], fraction);
  return static_cast<uint8_t>(below + (up ? 1 : 0));
}

}  // namespace

namespace hir::baseline {

int64_t narrow_adamw(const NarrowAdamW &a) {
  const AdamWRates &r = a.rates;
  const double correction1 = 1 - pow(r.beta1, static_cast<double>(r.step));
  const double correction2 = 1 - pow(r.beta2, static_cast<double>(r.step));
  // Eight codes a power of two, the last of them 1.
  double firsts[128] = {0}, seconds[256] = {0};
  for (int c = 1; c < 128; c++) firsts[c] = (8 + c % 8) / 15.0 * pow(2.0, c / 8 - 15);
  for (int c = 1; c < 256; c++) seconds[c] = (8 + c % 8) / 15.0 * pow(2.0, c / 8 - 31);
  int64_t bad = DONE;
  for (int64_t start = 0; start < a.count; start += BLOCK) {
    const int64_t n = a.count - start < BLOCK ? a.count - start : BLOCK, block = start / BLOCK;
    double m[BLOCK], v[BLOCK], m_most = 0, v_most = 0;
    for (int64_t i = 0; i < n; i++) {
      const int64_t at = start + i;
      const double g = element(a.grads, a.grad_dtype, at) * r.grad_scale;
      double m0, v0;
      if (a.moment_dtype == HIR_INT8) {
        const uint8_t c = static_cast<const uint8_t *>(a.m)[at];
        m0 = (c & 128 ? -1 : 1) * firsts[c & 127] * a.m_scales[block];
        v0 = seconds[static_cast<const uint8_t *>(a.v)[at]] * a.v_scales[block];
      } else {
        m0 = element(a.m, a.moment_dtype, at);
        v0 = element(a.v, a.moment_dtype, at);
      }
      m[i] = r.beta1 * m0 + (1 - r.beta1) * g;
      v[i] = r.beta2 * v0 + (1 - r.beta2) * g * g;
      m_most = fabs(m[i]) > m_most ? fabs(m[i]) : m_most;
      v_most = v[i] > v_most ? v[i] : v_most;
      const double p0 = a.params ? a.params[at] : join(a.weights[at], a.residues[at]);
      const float p =
          static_cast<float>(p0 * (1 - r.learning_rate * r.weight_decay) -
                             r.learning_rate / correction1 * m[i] / (sqrt(v[i]) / sqrt(correction2) + r.epsilon));
      bf16 weight = {0};
      if (a.params) {
        a.params[at] = p;
        if (a.weights) from_float(p, &weight);
        if (a.weights) a.weights[at] = weight;
      } else {
        split(p, &weight, a.residues + at);
        a.weights[at] = weight;
      }
      if ((!isfinite(p) || !isfinite(to_float(weight))) && bad == DONE) bad = at;
    }
    for (int64_t i = 0; i < n; i++) {
      const int64_t at = start + i;
      if (a.moment_dtype == HIR_FLOAT32) {
        static_cast<float *>(a.m)[at] = static_cast<float>(m[i]);
        static_cast<float *>(a.v)[at] = static_cast<float>(v[i]);
      } else if (a.moment_dtype == HIR_BFLOAT16) {
        stored_bf16(m[i], noise(a, at, false), static_cast<bf16 *>(a.m) + at);
        stored_bf16(v[i], noise(a, at, true), static_cast<bf16 *>(a.v) + at);
      } else {
        const double m_scaled = m_most < 1e-37 ? 0 : m[i] / m_most, v_scaled = v_most < 1e-37 ? 0 : v[i] / v_most;
        static_cast<uint8_t *>(a.m)[at] = static_cast<uint8_t>(
            (m[i] < 0 ? 128 : 0) | stored_code(fabs(m_scaled), noise(a, at, false), firsts, 128, false));
        static_cast<uint8_t *>(a.v)[at] = stored_code(v_scaled, noise(a, at, true), seconds, 256, true);
      }
    }
    if (a.moment_dtype == HIR_INT8) {
      a.m_scales[block] = static_cast<float>(m_most);
      a.v_scales[block] = static_cast<float>(v_most);
    }
  }
  return bad;
}

}  // namespace hir::baseline
