// An optimizer's state in fewer bits: a master is a bfloat16 weight and 16 low bits, moments are bfloat16 or blocks of
// 8-bit codes. Arithmetic is float32; only what is stored is narrow. Moments are rounded at random, up with a
// probability equal to the distance from the lower neighbour in units of the spacing, so that many small steps add up
// to the right sum on average. With rounding to the nearest, steps below half a spacing would be lost.
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "bf16.h"
#include "portable.h"

namespace hir {

HIR_SHARED static inline uint32_t float_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

HIR_SHARED static inline float bits_float(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// --- split masters
//
// The weight is the master rounded to the nearest bfloat16, with a tie to the smaller magnitude. The residue is the
// master's low half; if it is above 0x8000, the weight was rounded up. (With ties to even, 65,537 masters would round
// to some weights, more than 16 bits can tell apart.) Every float is restored exactly, NaN and infinities included.

HIR_SHARED static inline void split(float master, bf16 *weight, uint16_t *residue) {
  const uint32_t bits = float_bits(master), low = bits & 0xffff;
  *residue = static_cast<uint16_t>(low);
  weight->bits = static_cast<uint16_t>((bits >> 16) + (low > 0x8000 ? 1 : 0));
}

HIR_SHARED static inline float join(bf16 weight, uint16_t residue) {
  const uint32_t high = static_cast<uint32_t>(weight.bits) - (residue > 0x8000 ? 1 : 0);
  return bits_float(high << 16 | residue);
}

// --- random rounding; the low 16 bits of `noise` are random

// To bfloat16. Values that bfloat16 can represent do not change, and no finite number becomes infinite.
HIR_SHARED static inline bf16 round_at_random(float x, uint32_t noise) {
  const uint32_t bits = float_bits(x), sign = bits & 0x80000000u, magnitude = bits & 0x7fffffffu;
  uint32_t sum = magnitude + (noise & 0xffff);
  sum = sum < 0x7f7fffffu ? sum : 0x7f7fffffu;
  const uint32_t special = magnitude > 0x7f800000u ? magnitude | 0x400000u : magnitude;
  return {static_cast<uint16_t>((sign | (magnitude >= 0x7f800000u ? special : sum)) >> 16)};
}

// The codes of a block: magnitudes (1 + f / 8) 2^e, scaled so that the largest of the block is 15/8 2^0. Eight codes
// per power of two; 32 powers for the second moment (unsigned), 16 for the first (signed). Code 0 is 0.
constexpr int64_t BLOCK = 256;
constexpr float LARGEST = 1.875f;
constexpr int MANTISSA = 20;  // bits of a float below those of a code
constexpr uint32_t UNSIGNED_BASE = (127 - 31) << 3, SIGNED_BASE = (127 - 15) << 3;

// The code of z in [0, LARGEST]; `most` is the last code. Code 1 is the float of `base` + 1; a smaller z becomes code 1
// or 0.
HIR_SHARED static inline uint32_t code(float z, uint32_t noise, uint32_t base, uint32_t most, bool never_zero) {
  const float least = bits_float((base + 1) << MANTISSA);
  const uint32_t far = (float_bits(z) + ((noise & 0xffff) << (MANTISSA - 16))) >> MANTISSA;
  const uint32_t bounded = far < base + most ? far : base + most;
  const uint32_t near = never_zero ? 1 : (z * (65536.0f / least) > static_cast<float>(noise & 0xffff) ? 1 : 0);
  return z >= least ? bounded - base : (z > 0 ? near : 0);
}

// A second moment above 0 never becomes 0, because it divides the first.
HIR_SHARED static inline uint8_t unsigned_code(float z, uint32_t noise) {
  return static_cast<uint8_t>(code(z, noise, UNSIGNED_BASE, 255, true));
}

HIR_SHARED static inline uint8_t signed_code(float z, uint32_t noise) {
  const uint32_t sign = float_bits(z) >> 31;
  return static_cast<uint8_t>(sign << 7 | code(fabsf(z), noise, SIGNED_BASE, 127, false));
}

HIR_SHARED static inline float unsigned_value(uint8_t code) {
  return code ? bits_float((UNSIGNED_BASE + code) << MANTISSA) : 0;
}

HIR_SHARED static inline float signed_value(uint8_t code) {
  const uint32_t magnitude = code & 127u, sign = static_cast<uint32_t>(code & 128u) << 24;
  return magnitude ? bits_float(sign | (SIGNED_BASE + magnitude) << MANTISSA) : 0;
}

// The factors before coding and after decoding, from the largest magnitude of a block, which is stored.
HIR_SHARED static inline float coding(float largest) { return largest < 1e-37f ? 0 : LARGEST / largest; }
HIR_SHARED static inline float decoding(float largest) { return largest / LARGEST; }

// --- which random bits
//
// A buffer is cut into groups of NOISE_GROUP elements. A group has 16 Philox counters; their first words serve its
// first 16 elements, their second words the next 16, and so on, which makes whole vectors of any width. The low half of
// an element's word rounds the first moment, the high half the second.
constexpr int64_t NOISE_GROUP = 64;
constexpr uint64_t NOISE_KEY = 0x4869524164616d57ull;  // "HiRAdamW"

struct NoiseKey {
  uint64_t buffer;
  uint32_t step;
};

HIR_SHARED static inline void noise_counter(const NoiseKey &key, int64_t group, uint32_t lane, uint32_t counter[4]) {
  counter[0] = static_cast<uint32_t>(group) * 16 + lane;
  counter[1] = key.step;
  counter[2] = static_cast<uint32_t>(key.buffer);
  counter[3] = static_cast<uint32_t>(key.buffer >> 32);
}

}  // namespace hir
