#include <math.h>

#include "head/stats.h"

namespace {

using hir::BlockStats;

constexpr double LOG2E = 1.4426950408889634, LN2 = 0.6931471805599453;

BlockStats block(const float *logits, int64_t n, double temperature) {
  const double scale = LOG2E / temperature;
  double most = -INFINITY;
  for (int64_t i = 0; i < n; i++) {
    if (isnan(logits[i]) || logits[i] == INFINITY) return {0, 0, NAN, 0};
    most = fmax(most, logits[i]);
  }
  BlockStats stats = {most * scale, 0, 0, static_cast<float>(most)};
  for (int64_t i = 0; i < n; i++) {
    if (logits[i] == -INFINITY) continue;
    const double y = (static_cast<double>(logits[i]) - most) * scale, e = exp2(y);
    stats.sum += e;
    stats.weighted += y * e;
  }
  return stats;
}

void row(const BlockStats *blocks, int64_t count, float target, double temperature, float *logprob, float *entropy) {
  double most = -INFINITY, sum = 0, weighted = 0;
  for (int64_t b = 0; b < count; b++) {
    if (isnan(blocks[b].weighted)) most = NAN;
    if (!isnan(most)) most = fmax(most, blocks[b].reference);
  }
  *logprob = NAN;
  if (entropy) *entropy = NAN;
  if (isnan(most) || most == -INFINITY) return;
  for (int64_t b = 0; b < count; b++) {
    if (blocks[b].reference == -INFINITY) continue;
    const double shift = blocks[b].reference - most, factor = exp2(shift);
    sum += blocks[b].sum * factor;
    weighted += (blocks[b].weighted + blocks[b].sum * shift) * factor;
  }
  *logprob = static_cast<float>(fmin(0, target / temperature - LN2 * (most + log2(sum))));
  if (entropy) *entropy = static_cast<float>(fmax(0, LN2 * (log2(sum) - weighted / sum)));
}

}  // namespace

namespace hir::HIR_ISA {

extern const HeadStats head_stats = {block, row};

}  // namespace hir::HIR_ISA
