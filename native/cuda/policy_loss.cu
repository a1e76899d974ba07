// Clipped surrogate loss and its gradient, written over the logits: one block per row, two passes. As much of the row
// as fits stays in shared memory between them; the rest is read again starting from its end, which is still in the
// cache.
#include "call.h"
#include "hir_kernels.h"
#include "kernels_on_device.h"
#include "row.h"
#include "surrogate.h"

namespace hir::HIR_DEVICE {

namespace {

constexpr int MOST_THREADS = 1024;

// d loss / d x = (g ([j = target] - p) - h p (log p + H)) / temperature as a function of log2 p; without the target's g.
struct Gradient {
  float scale, top, offset, constant, by_log2;

  Gradient() = default;
  HIR_GPU Gradient(const RowSoftmax &softmax, float scale, double g, double h, double temperature)
      : scale(scale), top(softmax.top), offset(static_cast<float>(-softmax.log_sum)),
        constant(static_cast<float>(-(g + h * softmax.entropy) / temperature)),
        by_log2(static_cast<float>(-h * LN2 / temperature)) {}

  HIR_GPU float operator()(float x) const {
    const float y = max_nan(OnlineSoftmax::FLOOR, fmaf(x - top, scale, offset));
    return exp2_fast(y) * fmaf(by_log2, y, constant);
  }
};

struct Shared {
  SoftmaxSum places[MOST_THREADS / WARP];
  Gradient gradient;
  bool valid, flat;   // flat: a clip binds
  float at_target;    // the gradient there
};

template <class T>
struct Arguments {
  T *logits;
  int64_t cols, stride;
  PolicyLoss loss;
  double *terms;  // [rows][SUMS]
  int vectors_kept;
  uint64_t *faults;
};

HIR_GPU void store(bf16 *to, float x) { from_float(x, to); }
HIR_GPU void store(float *to, float x) { *to = x; }

// This thread's vectors, in the order of for_each_vector, some kept in shared memory.
template <class T>
HIR_GPU OnlineSoftmax forward(const Row<T> &row, float scale, Bits16 *kept, int vectors_kept) {
  constexpr int IN_FLIGHT = 4;
  OnlineSoftmax mine;
  const int end = row.first_vector(warp() + 1);
  const auto take = [&](int v, const Bits16 &bits) {
    if (v < vectors_kept) kept[v] = bits;
    float x[LANES<T>];
    unpack(bits, x);
    mine.add(x, scale);
  };
  int v = row.first_vector(warp()) + lane();
  for (; v + (IN_FLIGHT - 1) * WARP < end; v += IN_FLIGHT * WARP) {
    Bits16 bits[IN_FLIGHT];
#pragma unroll
    for (int i = 0; i < IN_FLIGHT; i++) bits[i] = *row.vector(v + i * WARP);
#pragma unroll
    for (int i = 0; i < IN_FLIGHT; i++) take(v + i * WARP, bits[i]);
  }
  for (; v < end; v += WARP) take(v, *row.vector(v));
  if (warp() == 0 && lane() < row.head) {
    const float x[1] = {row.at(lane())};
    mine.add(x, scale);
  }
  if (warp() == warps() - 1 && lane() < row.tail) {
    const float x[1] = {row.at(row.cols - row.tail + lane())};
    mine.add(x, scale);
  }
  return mine;
}

// Replaces every element by f of it; each thread writes the vectors that it has read.
template <class T, class F>
HIR_GPU void backward(const Row<T> &row, const Bits16 *kept, int vectors_kept, F f) {
  constexpr int IN_FLIGHT = 4;
  const int first = row.first_vector(warp()), end = row.first_vector(warp() + 1);
  const int rounds = (end - first + WARP - 1) / WARP;
  for (int from = (rounds + IN_FLIGHT - 1) / IN_FLIGHT * IN_FLIGHT; from > 0; from -= IN_FLIGHT) {
    Bits16 bits[IN_FLIGHT];
#pragma unroll
    for (int i = 0; i < IN_FLIGHT; i++) {
      const int v = first + (from - IN_FLIGHT + i) * WARP + lane();
      if (v < end) bits[i] = v < vectors_kept ? kept[v] : *row.vector(v);
    }
#pragma unroll
    for (int i = 0; i < IN_FLIGHT; i++) {
      const int v = first + (from - IN_FLIGHT + i) * WARP + lane();
      if (v >= end) continue;
      float x[LANES<T>];
      unpack(bits[i], x);
#pragma unroll
      for (int j = 0; j < LANES<T>; j++) x[j] = f(x[j]);
      *row.vector(v) = pack(x);
    }
  }
  if (warp() == 0 && lane() < row.head) store(row.data + lane(), f(row.at(lane())));
  if (warp() == warps() - 1 && lane() < row.tail) {
    const int i = row.cols - row.tail + lane();
    store(row.data + i, f(row.at(i)));
  }
}

template <class T>
HIR_GPU void write(const Arguments<T> &a, float logprob, float entropy, const double *terms) {
  if (a.loss.logprobs) a.loss.logprobs[block()] = logprob;
  if (a.loss.entropies) a.loss.entropies[block()] = entropy;
  for (int i = 0; i < SUMS; i++) a.terms[block() * SUMS + i] = terms ? terms[i] : 0.0;
}

template <class T>
HIR_KERNEL(MOST_THREADS, 1)
policy_loss_kernel(Arguments<T> a) {
  Shared &s = *shared<Shared>();
  Bits16 *kept = reinterpret_cast<Bits16 *>(&s + 1);
  const Row<T> row(a.logits + block() * a.stride, a.cols);
  const float scale = static_cast<float>(LOG2E / a.loss.temperature);
  const auto zero = [](float) { return 0.0f; };

  if (a.loss.weights[block()] == 0.0f) {  // masked: its logits may be anything
    backward(row, kept, 0, zero);
    if (thread() == 0) write(a, 0.0f, 0.0f, nullptr);
    return;
  }
  const int64_t target = a.loss.targets[block()];
  const bool inside = target >= 0 && target < a.cols;
  if (!inside || has_nan(a.loss, block())) {
    if (thread() == 0) {
      report(a.faults, KernelId::POLICY_LOSS, inside ? Fault::NAN_INPUT : Fault::TARGET, block());
      write(a, NAN, NAN, nullptr);
    }
    return;
  }
  const float logit = row.at(static_cast<int>(target));  // before the backward pass writes over it
  const SoftmaxSum sum = block_softmax(forward(row, scale, kept, a.vectors_kept), scale, s.places);
  if (warp() == 0) {
    const RowSoftmax softmax(sum);
    const double temperature = a.loss.temperature, logprob = softmax.logprob(logit, temperature);
    const Surrogate token = surrogate(a.loss, block(), logprob, softmax.entropy);
    const double g = token.grad_logprob, h = token.grad_entropy, p = exp(logprob);
    const double by_entropy = p > 0 ? h * p * (logprob + softmax.entropy) : 0;
    if (lane() == 0) {
      s.valid = softmax.valid;
      s.flat = g == 0 && h == 0;
      s.gradient = Gradient(softmax, scale, g, h, temperature);
      s.at_target = static_cast<float>((g * (1 - p) - by_entropy) / temperature);
      if (softmax.valid) {
        write(a, static_cast<float>(logprob), static_cast<float>(softmax.entropy), token.terms);
      } else {
        report(a.faults, KernelId::POLICY_LOSS, softmax.fault(), block());
        write(a, NAN, NAN, nullptr);
      }
    }
  }
  barrier();
  if (!s.valid) return;
  if (s.flat) {
    backward(row, kept, 0, zero);
    return;
  }
  backward(row, kept, a.vectors_kept, s.gradient);
  barrier();
  if (thread() == 0) store(row.data + target, s.at_target);
}

struct SumArguments {
  const double *terms;
  int64_t rows;
  double *sums;
};

constexpr int SUM_THREADS = 256;

// In a fixed order on any device: each thread sums its rows, then the block.
HIR_KERNEL(SUM_THREADS, 1)
sum_terms_kernel(SumArguments a) {
  double mine[SUMS] = {};
  for (int64_t row = thread(); row < a.rows; row += threads()) {
    for (int i = 0; i < SUMS; i++) mine[i] += a.terms[row * SUMS + i];
  }
  for (int i = 0; i < SUMS; i++) {
    const double sum = block_reduce(mine[i], 0.0, Sum(), shared<double>());
    if (thread() == 0) a.sums[i] = sum;
  }
}

template <class T>
int32_t run(const Place &place, const Matrix &logits, const PolicyLoss &loss) {
  Call call("policy_loss", place);
  double *terms = static_cast<double *>(call.scratch(sizeof(double) * SUMS * (logits.rows + 1)));
  if (call.failed()) return call.result();
  double *sums = terms + SUMS * logits.rows;
  const int64_t vectors = logits.cols * static_cast<int64_t>(sizeof(T)) / VECTOR_BYTES;
  const int64_t room = static_cast<int64_t>((call.most_shared() - sizeof(Shared)) / VECTOR_BYTES);
  const int kept = static_cast<int>(vectors < room ? vectors : room);
  const Arguments<T> arguments = {
      static_cast<T *>(logits.data), logits.cols, logits.stride, loss, terms, kept, call.faults()};
  call.launch(policy_loss_kernel<T>, logits.rows, row_threads(logits.cols * sizeof(T), MOST_THREADS),
              sizeof(Shared) + static_cast<size_t>(kept) * VECTOR_BYTES, arguments);
  const SumArguments sum = {terms, logits.rows, sums};
  call.launch(sum_terms_kernel, 1, SUM_THREADS, sizeof(double) * WARP, sum);
  call.read(loss.sums, sums, sizeof(double) * SUMS);
  return call.result();
}

}  // namespace

int32_t policy_loss(const Place &place, const Matrix &logits, const PolicyLoss &loss) {
  return logits.dtype == HIR_BFLOAT16 ? run<bf16>(place, logits, loss) : run<float>(place, logits, loss);
}

}  // namespace hir::HIR_DEVICE
