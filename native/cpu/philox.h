// Philox4x32-10 (Salmon et al., SC'11): a counter-based generator, so a row's numbers depend only on its counter.
#pragma once

#include <stdint.h>

#include "portable.h"

namespace hir {

HIR_SHARED static inline void philox4x32(uint64_t key, const uint32_t counter[4], uint32_t out[4]) {
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  for (int round = 0; round < 10; round++) {
    const uint64_t p0 = static_cast<uint64_t>(0xD2511F53u) * c0;
    const uint64_t p1 = static_cast<uint64_t>(0xCD9E8D57u) * c2;
    const uint32_t n0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
    const uint32_t n2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<uint32_t>(p1);
    c3 = static_cast<uint32_t>(p0);
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

// Uniform in [0, 1) with 53 bits, from the first two words.
HIR_SHARED static inline double philox_uniform(uint64_t key, const uint32_t counter[4]) {
  uint32_t word[4];
  philox4x32(key, counter, word);
  return (static_cast<double>(word[0] >> 5) * 67108864.0 + static_cast<double>(word[1] >> 6)) / 9007199254740992.0;
}

}  // namespace hir
