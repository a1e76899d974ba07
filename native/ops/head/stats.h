// What each instruction set provides to head.cpp.
#pragma once

#include "block_stats.h"

namespace hir {

struct HeadStats {
  // Statistics of n logits; n is BLOCK except at a row's end.
  BlockStats (*block)(const float *logits, int64_t n, double temperature);
  // Combines all blocks of a row; NaN if there is a NaN or +inf, or nothing finite. The entropy may be null.
  void (*row)(const BlockStats *blocks, int64_t count, float target, double temperature, float *logprob, float *entropy);
};

#define HIR_HEAD_STATS(isa) \
  namespace isa { \
  extern const HeadStats head_stats; \
  }
HIR_HEAD_STATS(baseline)
HIR_HEAD_STATS(avx2)
HIR_HEAD_STATS(avx512)
#undef HIR_HEAD_STATS

}  // namespace hir
