// Clipped surrogate loss and its gradient, written over the logits.
#include <stdlib.h>
#include <string.h>

#include "hir_kernels.h"
#include "kernels.h"
#include "softmax.h"
#include "surrogate.h"

namespace {

// d loss / d x = (g ([j = target] - p_j) - h p_j (log p_j + H)) / temperature, with g and h the derivatives by log-prob
// and entropy. The caller adds the target's g / temperature.
//
// Without an entropy bonus that is a multiple of p_j, one fused multiply and add and a power.
struct PlainGradient {
  Vec scale, offset;
  Exp2 power;

  PlainGradient(const RowStats &row, float scale, double grad_logprob, double temperature)
      : scale(vec(scale)), offset(vec(static_cast<float>(-row.log_sum))),
        // The factor compensates for the rounding of the offset, which is not small if logits are large.
        power(-grad_logprob / temperature * ::exp2(static_cast<float>(row.log_sum) - row.log_sum)) {}

  Vec operator()(Vec logits) const { return exp2(fma(logits, scale, offset), power); }
};

// With an entropy bonus: p_j times an affine function of log2 p_j. Also used if logits are so large that products
// overflow.
struct EntropyGradient {
  Vec scale, pivot, offset, by_y, constant;

  EntropyGradient(const RowStats &row, float scale, double grad_logprob, double grad_entropy, double temperature)
      : scale(vec(scale)), pivot(vec(row.pivot)), offset(vec(static_cast<float>(row.offset))),
        by_y(vec(static_cast<float>(-grad_entropy * LN2 / temperature))),
        constant(vec(static_cast<float>((-grad_logprob - grad_entropy * row.entropy) / temperature))) {}

  Vec operator()(Vec logits) const {
    const Vec y = fma(sub(logits, pivot), scale, offset);
    return mul(exp2(y), fma(by_y, max(vec(-1000.0f), y), constant));  // max: -inf * 0
  }
};

template <class T, class Gradient>
void block_gradient(T *x, int64_t n, const Gradient &gradient) {
  int64_t i = 0;
  for (; i + 2 * WIDTH <= n; i += 2 * WIDTH) {
    Vec a, b;
    load_two(x + i, &a, &b);
    store_two(x + i, gradient(a), gradient(b));
  }
  for (; i < n; i += WIDTH) {
    const int64_t left = n - i < WIDTH ? n - i : WIDTH;
    store_part(x + i, left, gradient(load_part(x + i, left, -INFINITY)));
  }
}

// The inputs of a row's backward pass.
struct Token {
  float target;  // the target's logit, kept because the passes write over it
  double logprob;
  RowStats stats;
  hir::Surrogate loss;
};

template <class T>
class Run {
 public:
  Run(const hir::Matrix &logits, const hir::PolicyLoss &loss)
      : logits(logits), loss(loss), blocks(block_count(logits.cols)), scale(static_cast<float>(LOG2E / loss.temperature)) {}

  int64_t operator()() {
    const int64_t rows = logits.rows;
    tokens = static_cast<Token *>(calloc(rows, sizeof(Token)));
    parts = static_cast<BlockStats *>(malloc(sizeof(BlockStats) * rows * blocks));
    int64_t result = hir::OUT_OF_MEMORY;
    if (tokens && parts) {
      passes();
      result = hir::DONE;
      for (int i = 0; i < hir::SUMS; i++) loss.sums[i] = 0;
      // In one thread, so that the sums do not depend on the number of threads.
      for (int64_t row = 0; row < rows && result == hir::DONE; row++) {
        if (!tokens[row].stats.valid) result = row;
        hir::add_terms(tokens[row].loss, loss.sums);
      }
    }
    free(tokens);
    free(parts);
    return result;
  }

 private:
  void passes() {
    const int64_t rows = logits.rows;
#pragma omp parallel if (rows * logits.cols > 16384)
    {
      if (rows >= 16) {
        // A row's backward pass right after its forward pass finds the logits in cache.
#pragma omp for schedule(dynamic, 1)
        for (int64_t row = 0; row < rows; row++) {
          for (int64_t block = 0; block < blocks; block++) forward(row, block);
          finish(row);
          for (int64_t block = 0; block < blocks; block++) backward(row, block);
        }
      } else {
        // Few rows: threads share their blocks instead.
#pragma omp for schedule(dynamic, 4)
        for (int64_t unit = 0; unit < rows * blocks; unit++) forward(unit / blocks, unit % blocks);
#pragma omp for schedule(static)
        for (int64_t row = 0; row < rows; row++) finish(row);
#pragma omp for schedule(dynamic, 4)
        for (int64_t unit = 0; unit < rows * blocks; unit++) backward(unit / blocks, unit % blocks);
      }
    }
  }

  T *block_start(int64_t row, int64_t block) const {
    return static_cast<T *>(logits.data) + row * logits.stride + block * BLOCK;
  }

  bool masked(int64_t row) const { return loss.weights[row] == 0.0f; }

  // The target's position in a block, or -1.
  int64_t target_in(int64_t row, int64_t block, int64_t n) const {
    const int64_t target = loss.targets[row] - block * BLOCK;
    return target >= 0 && target < n ? target : -1;
  }

  void forward(int64_t row, int64_t block) {
    if (masked(row)) return;
    const T *x = block_start(row, block);
    const int64_t n = block_length(logits.cols, block), target = target_in(row, block, n);
    if (target >= 0) tokens[row].target = hir::to_float(x[target]);
    parts[row * blocks + block] = block_stats(x, n, scale);
  }

  void finish(int64_t row) {
    Token &token = tokens[row];
    double entropy = 0;
    if (masked(row)) {
      token.stats.valid = true;
    } else {
      token.stats = row_stats(parts + row * blocks, blocks, scale);
      if (token.stats.valid) {
        token.logprob = logprob_of(token.target, token.stats, loss.temperature);
        entropy = token.stats.entropy;
        token.loss = hir::surrogate(loss, row, token.logprob, entropy);
      }
    }
    if (loss.logprobs) loss.logprobs[row] = static_cast<float>(token.logprob);
    if (loss.entropies) loss.entropies[row] = static_cast<float>(entropy);
  }

  void backward(int64_t row, int64_t block) const {
    const Token &token = tokens[row];
    if (!token.stats.valid) return;
    T *x = block_start(row, block);
    const int64_t n = block_length(logits.cols, block);
    const double g = token.loss.grad_logprob, h = token.loss.grad_entropy;
    if (g == 0 && h == 0) {  // masked or clipped
      memset(static_cast<void *>(x), 0, n * sizeof(T));
      return;
    }
    if (h == 0 && fabs(token.stats.log_sum) < 1e30) {
      block_gradient(x, n, PlainGradient(token.stats, scale, g, loss.temperature));
    } else {
      block_gradient(x, n, EntropyGradient(token.stats, scale, g, h, loss.temperature));
    }
    const int64_t target = target_in(row, block, n);
    if (target >= 0) {
      const double p = exp(token.logprob);
      const double by_entropy = p > 0 ? h * p * (token.logprob + token.stats.entropy) : 0;
      hir::from_float(static_cast<float>((g * (1 - p) - by_entropy) / loss.temperature), x + target);
    }
  }

  const hir::Matrix &logits;
  const hir::PolicyLoss &loss;
  const int64_t blocks;
  const float scale;
  Token *tokens = nullptr;
  BlockStats *parts = nullptr;
};

}  // namespace

namespace hir::HIR_ISA {

int64_t policy_loss(const Matrix &logits, const PolicyLoss &loss) {
  return logits.dtype == HIR_BFLOAT16 ? Run<bf16>(logits, loss)() : Run<float>(logits, loss)();
}

}  // namespace hir::HIR_ISA
