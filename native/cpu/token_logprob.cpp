// Log-prob of the target and entropy, one pass over the logits (online softmax by blocks).
#include <stdlib.h>

#include "hir_kernels.h"
#include "kernels.h"
#include "softmax.h"

namespace {

template <class T>
int64_t run(const hir::Matrix &logits, const int64_t *targets, double temperature, float *logprobs, float *entropies) {
  const T *data = static_cast<const T *>(logits.data);
  const int64_t rows = logits.rows, cols = logits.cols, blocks = block_count(cols);
  const float scale = static_cast<float>(LOG2E / temperature);
  BlockStats *parts = static_cast<BlockStats *>(malloc(sizeof(BlockStats) * rows * blocks));
  if (!parts) return hir::OUT_OF_MEMORY;

#pragma omp parallel if (rows * cols > 32768)
  {
    // Threads share blocks, not rows, so that one long row keeps all of them busy.
#pragma omp for schedule(dynamic, 8)
    for (int64_t unit = 0; unit < rows * blocks; unit++) {
      const int64_t row = unit / blocks, block = unit % blocks;
      parts[unit] = block_stats(data + row * logits.stride + block * BLOCK, block_length(cols, block), scale);
    }
#pragma omp for schedule(static)
    for (int64_t row = 0; row < rows; row++) {
      const RowStats stats = row_stats(parts + row * blocks, blocks, scale);
      const T target = data[row * logits.stride + targets[row]];
      logprobs[row] = stats.valid ? static_cast<float>(logprob_of(target, stats, temperature)) : NAN;
      if (entropies) entropies[row] = static_cast<float>(stats.entropy);
    }
  }
  free(parts);
  for (int64_t row = 0; row < rows; row++) {
    if (logprobs[row] != logprobs[row]) return row;
  }
  return hir::DONE;
}

}  // namespace

namespace hir::HIR_ISA {

int64_t token_logprob(const Matrix &logits, const int64_t *targets, double temperature, float *logprobs, float *entropies) {
  return logits.dtype == HIR_BFLOAT16 ? run<bf16>(logits, targets, temperature, logprobs, entropies)
                                      : run<float>(logits, targets, temperature, logprobs, entropies);
}

}  // namespace hir::HIR_ISA
