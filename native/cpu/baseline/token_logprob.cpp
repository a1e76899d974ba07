#include "reference.h"

namespace hir::baseline {

int64_t token_logprob(const Matrix &logits, const int64_t *targets, double temperature, float *logprobs, float *entropies) {
  int64_t bad = INT64_MAX;
#pragma omp parallel for schedule(static) reduction(min : bad) if (logits.rows > 1)
  for (int64_t row = 0; row < logits.rows; row++) {
    const Softmax softmax(logits, row, temperature);
    if (!softmax.valid) {
      if (row < bad) bad = row;
      continue;
    }
    logprobs[row] = static_cast<float>(softmax.logprob(targets[row]));
    if (entropies) entropies[row] = static_cast<float>(softmax.entropy);
  }
  return bad == INT64_MAX ? DONE : bad;
}

}  // namespace hir::baseline
