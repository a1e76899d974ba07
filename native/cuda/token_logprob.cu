// Log-prob of the target and entropy: one block per row, one pass over the logits (online softmax).
#include "call.h"
#include "hir_kernels.h"
#include "kernels_on_device.h"
#include "row.h"

namespace hir::HIR_DEVICE {

namespace {

// Small blocks, several on a multiprocessor: while one sums up, the others load.
constexpr int MOST_THREADS = 256, BLOCKS = 6;

template <class T>
struct Arguments {
  T *logits;
  int64_t cols, stride;
  const int64_t *targets;
  double temperature;
  float *logprobs, *entropies;
  uint64_t *faults;
};

template <class T>
HIR_KERNEL(MOST_THREADS, BLOCKS)
token_logprob_kernel(Arguments<T> a) {
  const Row<T> row(a.logits + block() * a.stride, a.cols);
  const float scale = static_cast<float>(LOG2E / a.temperature);
  const int64_t target = a.targets[block()];
  const bool inside = target >= 0 && target < a.cols;
  OnlineSoftmax mine;
  for_each_vector(row, [&](int, const auto &x) { mine.add(x, scale); });
  // On its way while the block sums up. Before the row, its latency would delay all other loads.
  const float logit = warp() == 0 && inside ? row.at(static_cast<int>(target)) : 0.0f;
  const SoftmaxSum sum = block_softmax(mine, scale, shared<SoftmaxSum>());
  if (thread() != 0) return;
  if (!inside) {
    report(a.faults, KernelId::TOKEN_LOGPROB, Fault::TARGET, block());
    return;
  }
  const RowSoftmax softmax(sum);
  if (!softmax.valid) report(a.faults, KernelId::TOKEN_LOGPROB, softmax.fault(), block());
  a.logprobs[block()] = softmax.valid ? static_cast<float>(softmax.logprob(logit, a.temperature)) : NAN;
  if (a.entropies) a.entropies[block()] = softmax.valid ? static_cast<float>(softmax.entropy) : NAN;
}

template <class T>
int32_t run(const Place &place, const Matrix &logits, const int64_t *targets, double temperature, float *logprobs,
            float *entropies) {
  Call call("token_logprob", place);
  const Arguments<T> arguments = {
      static_cast<T *>(logits.data), logits.cols, logits.stride, targets, temperature, logprobs, entropies, call.faults()};
  const int threads = row_threads(logits.cols * sizeof(T), MOST_THREADS);
  call.launch(token_logprob_kernel<T>, logits.rows, threads, sizeof(SoftmaxSum) * (threads / WARP), arguments);
  return call.result();
}

}  // namespace

int32_t token_logprob(const Place &place, const Matrix &logits, const int64_t *targets, double temperature, float *logprobs,
                      float *entropies) {
  return logits.dtype == HIR_BFLOAT16 ? run<bf16>(place, logits, targets, temperature, logprobs, entropies)
                                      : run<float>(place, logits, targets, temperature, logprobs, entropies);
}

}  // namespace hir::HIR_DEVICE
