#include "head/stats.h"

#include "softmax.h"

namespace {

float scale_of(double temperature) { return static_cast<float>(LOG2E / temperature); }

BlockStats block(const float *logits, int64_t n, double temperature) {
  return block_stats(logits, n, scale_of(temperature));
}

void row(const BlockStats *blocks, int64_t count, float target, double temperature, float *logprob, float *entropy) {
  const RowStats stats = row_stats(blocks, count, scale_of(temperature));
  *logprob = stats.valid ? static_cast<float>(logprob_of(target, stats, temperature)) : NAN;
  if (entropy) *entropy = stats.valid ? static_cast<float>(stats.entropy) : NAN;
}

}  // namespace

namespace hir::HIR_ISA {

extern const HeadStats head_stats = {block, row};

}  // namespace hir::HIR_ISA
