// AdamW over narrow state (narrow.h): widens a block of 256 elements, takes the step in float32, and narrows it again.
#include <math.h>

#include "hir_kernels.h"
#include "kernels.h"
#include "narrow.h"
#include "philox.h"
#include "vec.h"

namespace {

using hir::NarrowAdamW;

// Elements of a unit of work: whole blocks.
constexpr int64_t CHUNK = 65536;
constexpr int64_t BLOCK = hir::BLOCK;

// The random bits of a group's elements. The compiler vectorizes these plain loops over lanes.
void noise_of(const hir::NoiseKey &key, int64_t group, uint32_t noise[hir::NOISE_GROUP]) {
  uint32_t c0[16], c1[16], c2[16], c3[16];
  for (uint32_t i = 0; i < 16; i++) {
    uint32_t counter[4];
    hir::noise_counter(key, group, i, counter);
    c0[i] = counter[0];
    c1[i] = counter[1];
    c2[i] = counter[2];
    c3[i] = counter[3];
  }
  uint32_t k0 = static_cast<uint32_t>(hir::NOISE_KEY), k1 = static_cast<uint32_t>(hir::NOISE_KEY >> 32);
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < 16; i++) {
      const uint64_t p0 = static_cast<uint64_t>(0xD2511F53u) * c0[i], p1 = static_cast<uint64_t>(0xCD9E8D57u) * c2[i];
      c0[i] = static_cast<uint32_t>(p1 >> 32) ^ c1[i] ^ k0;
      c2[i] = static_cast<uint32_t>(p0 >> 32) ^ c3[i] ^ k1;
      c1[i] = static_cast<uint32_t>(p1);
      c3[i] = static_cast<uint32_t>(p0);
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  memcpy(noise, c0, sizeof c0);
  memcpy(noise + 16, c1, sizeof c1);
  memcpy(noise + 32, c2, sizeof c2);
  memcpy(noise + 48, c3, sizeof c3);
}

struct Constants {
  Vec keep, toward, decay, fresh, rate, spread, epsilon, scale;

  explicit Constants(const hir::AdamWRates &r)
      : keep(vec(static_cast<float>(1 - r.learning_rate * r.weight_decay))), toward(vec(static_cast<float>(1 - r.beta1))),
        decay(vec(static_cast<float>(r.beta2))), fresh(vec(static_cast<float>(1 - r.beta2))),
        rate(vec(static_cast<float>(-r.learning_rate / (1 - pow(r.beta1, static_cast<double>(r.step)))))),
        spread(vec(static_cast<float>(1 / sqrt(1 - pow(r.beta2, static_cast<double>(r.step)))))),
        epsilon(vec(static_cast<float>(r.epsilon))), scale(vec(static_cast<float>(r.grad_scale))) {}
};

float largest_of(const float *x) {
  Vec most = vec(0);
  for (int64_t i = 0; i < BLOCK; i += WIDTH) {
    const Vec a = load(x + i);
    most = max(most, max(a, sub(vec(0), a)));
  }
  return max_lane(most);
}

// One block, widened; elements past the end of the buffer are 0.
struct Block {
  alignas(64) float p[BLOCK], g[BLOCK], m[BLOCK], v[BLOCK];
  alignas(64) uint32_t noise[BLOCK];

  void read(const NarrowAdamW &a, int64_t start, int64_t n) {
    if (n < BLOCK) {
      memset(p, 0, sizeof p);
      memset(g, 0, sizeof g);
      memset(m, 0, sizeof m);
      memset(v, 0, sizeof v);
    }
    if (a.params) {
      memcpy(p, a.params + start, sizeof(float) * n);
    } else {
      for (int64_t i = 0; i < n; i++) p[i] = hir::join(a.weights[start + i], a.residues[start + i]);
    }
    if (a.grad_dtype == HIR_BFLOAT16) {
      const bf16 *const grads = static_cast<const bf16 *>(a.grads) + start;
      for (int64_t i = 0; i < n; i++) g[i] = hir::to_float(grads[i]);
    } else {
      memcpy(g, static_cast<const float *>(a.grads) + start, sizeof(float) * n);
    }
    if (a.moment_dtype == HIR_FLOAT32) {
      memcpy(m, static_cast<const float *>(a.m) + start, sizeof(float) * n);
      memcpy(v, static_cast<const float *>(a.v) + start, sizeof(float) * n);
    } else if (a.moment_dtype == HIR_BFLOAT16) {
      const bf16 *const first = static_cast<const bf16 *>(a.m) + start, *const second =
                                                                            static_cast<const bf16 *>(a.v) + start;
      for (int64_t i = 0; i < n; i++) m[i] = hir::to_float(first[i]);
      for (int64_t i = 0; i < n; i++) v[i] = hir::to_float(second[i]);
    } else {
      const uint8_t *const first = static_cast<const uint8_t *>(a.m) + start;
      const uint8_t *const second = static_cast<const uint8_t *>(a.v) + start;
      const float m_scale = hir::decoding(a.m_scales[start / BLOCK]), v_scale = hir::decoding(a.v_scales[start / BLOCK]);
      for (int64_t i = 0; i < n; i++) m[i] = hir::signed_value(first[i]) * m_scale;
      for (int64_t i = 0; i < n; i++) v[i] = hir::unsigned_value(second[i]) * v_scale;
    }
  }

  // As in optimizer.cpp.
  void step(const Constants &c) {
    for (int64_t i = 0; i < BLOCK; i += WIDTH) {
      const Vec gradient = mul(load(g + i), c.scale), m0 = load(m + i);
      const Vec m1 = fma(c.toward, sub(gradient, m0), m0);
      const Vec v1 = fma(mul(c.fresh, gradient), gradient, mul(c.decay, load(v + i)));
      store(p + i, fma(c.rate, div(m1, fma(root(v1), c.spread, c.epsilon)), mul(load(p + i), c.keep)));
      store(m + i, m1);
      store(v + i, v1);
    }
  }

  // Returns the first element that has become NaN or too large for a finite weight, or -1.
  int64_t write(const NarrowAdamW &a, int64_t start, int64_t n) {
    int64_t bad = -1;
    if (a.params) {
      memcpy(a.params + start, p, sizeof(float) * n);
      if (a.weights) {
        for (int64_t i = 0; i < n; i++) hir::from_float(p[i], a.weights + start + i);
      }
    } else {
      for (int64_t i = 0; i < n; i++) hir::split(p[i], a.weights + start + i, a.residues + start + i);
    }
    const uint32_t limit = a.weights ? 0x7f7f8000u : 0x7f7fffffu;  // above it, a bfloat16 is infinite
    uint32_t most = 0;
    for (int64_t i = 0; i < n; i++) {
      const uint32_t magnitude = hir::float_bits(p[i]) & 0x7fffffffu;
      most = most > magnitude ? most : magnitude;
    }
    if (most > limit) {
      for (bad = 0; (hir::float_bits(p[bad]) & 0x7fffffffu) <= limit;) bad++;
    }
    if (a.moment_dtype == HIR_FLOAT32) {
      memcpy(static_cast<float *>(a.m) + start, m, sizeof(float) * n);
      memcpy(static_cast<float *>(a.v) + start, v, sizeof(float) * n);
      return bad;
    }
    const hir::NoiseKey key = {static_cast<uint64_t>(a.first), static_cast<uint32_t>(a.rates.step)};
    for (int64_t group = 0; group < BLOCK / hir::NOISE_GROUP; group++) {
      noise_of(key, start / hir::NOISE_GROUP + group, noise + group * hir::NOISE_GROUP);
    }
    if (a.moment_dtype == HIR_BFLOAT16) {
      bf16 *const first = static_cast<bf16 *>(a.m) + start, *const second = static_cast<bf16 *>(a.v) + start;
      for (int64_t i = 0; i < n; i++) first[i] = hir::round_at_random(m[i], noise[i]);
      for (int64_t i = 0; i < n; i++) second[i] = hir::round_at_random(v[i], noise[i] >> 16);
      return bad;
    }
    uint8_t *const first = static_cast<uint8_t *>(a.m) + start, *const second = static_cast<uint8_t *>(a.v) + start;
    const float m_most = largest_of(m), v_most = largest_of(v), m_scale = hir::coding(m_most), v_scale = hir::coding(v_most);
    a.m_scales[start / BLOCK] = m_most;
    a.v_scales[start / BLOCK] = v_most;
    for (int64_t i = 0; i < n; i++) first[i] = hir::signed_code(m[i] * m_scale, noise[i]);
    for (int64_t i = 0; i < n; i++) second[i] = hir::unsigned_code(v[i] * v_scale, noise[i] >> 16);
    return bad;
  }
};

}  // namespace

namespace hir::HIR_ISA {

int64_t narrow_adamw(const NarrowAdamW &a) {
  const Constants constants(a.rates);
  const int64_t chunks = (a.count + CHUNK - 1) / CHUNK;
  int64_t bad = INT64_MAX;
#pragma omp parallel for schedule(static) reduction(min : bad) if (chunks > 1)
  for (int64_t c = 0; c < chunks; c++) {
    const int64_t end = (c + 1) * CHUNK < a.count ? (c + 1) * CHUNK : a.count;
    Block block;
    for (int64_t start = c * CHUNK; start < end; start += BLOCK) {
      const int64_t n = end - start < BLOCK ? end - start : BLOCK;
      block.read(a, start, n);
      block.step(constants);
      const int64_t wrong = block.write(a, start, n);
      if (wrong >= 0 && start + wrong < bad) bad = start + wrong;
    }
  }
  return bad == INT64_MAX ? DONE : bad;
}

}  // namespace hir::HIR_ISA
