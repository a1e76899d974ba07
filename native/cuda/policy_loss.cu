// Clipped surrogate loss and its gradient, written over the logits, which are read once: a row is cut into parts that fit
// into shared memory, three blocks to a multiprocessor, so that some load and store while others sum up. The blocks of a
// row's parts are a cluster and combine their sums through each other's shared memory. Where there are no clusters, one
// block goes through the parts, and reads again what does not fit.
#include "call.h"
#include "hir_kernels.h"
#include "kernels_on_device.h"
#include "row.h"
#include "surrogate.h"

namespace hir::HIR_DEVICE {

namespace {

constexpr int MOST_THREADS = 192, BLOCKS = 3;
// Of a multiprocessor's 228 KB, a third less what a block takes besides: 1 KB of the system's, and Shared.
constexpr int64_t PART_BYTES = 76288;
constexpr int MOST_PARTS = 8;

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

struct alignas(VECTOR_BYTES) Shared {
  SoftmaxSum places[MOST_THREADS / WARP];
  SoftmaxSum parts[MOST_PARTS];  // those of this block
  Gradient gradient;
  bool valid, flat;  // flat: a clip binds
  float at_target;   // the gradient there
};
static_assert(sizeof(Shared) + PART_BYTES <= ((228 << 10) / BLOCKS - 1024) / 128 * 128, "all blocks fit");

template <class T>
struct Arguments {
  T *logits;
  int64_t cols, stride;
  PolicyLoss loss;
  double *terms;  // [rows][SUMS]
  int parts;      // of a row
  int cluster;    // blocks of a row: one, or one for each part
  int vectors_kept;
  uint64_t *faults;
};

HIR_GPU void store(bf16 *to, float x) { from_float(x, to); }
HIR_GPU void store(float *to, float x) { *to = x; }

// Vectors of a part: whole cache lines.
HIR_SHARED inline int64_t part_vectors(int64_t vectors, int parts) {
  constexpr int LINE = 128 / VECTOR_BYTES;
  return (vectors + parts * LINE - 1) / (parts * LINE) * LINE;
}

// Vectors of a row, and whether the elements before the first and after the last vector belong to them.
struct Range {
  int begin, end;
  bool leads, trails;

  template <class T>
  HIR_GPU Range(const Row<T> &row, int first_part, int end_part, int parts)
      : leads(first_part == 0), trails(end_part == parts) {
    const int each = static_cast<int>(part_vectors(row.vectors, parts));
    begin = first_part * each < row.vectors ? first_part * each : row.vectors;
    end = end_part * each < row.vectors ? end_part * each : row.vectors;
  }
};

// The vectors from `begin` to `end` of a row, in shared memory.
struct Kept {
  Bits16 *at;
  int begin, end;

  HIR_GPU Bits16 *vector(int v) const { return at + (v - begin); }
};

// This thread's share of a part. The order does not depend on how much of it is kept.
template <class T>
HIR_GPU OnlineSoftmax forward(const Row<T> &row, const Range &part, const Kept &kept, float scale) {
  constexpr int GROUP = 2, GROUPS = 13, IN_FLIGHT = 4;  // a thread's whole share of PART_BYTES is in flight
  OnlineSoftmax mine;
  const auto take = [&](const Bits16 &bits) {
    float x[LANES<T>];
    unpack(bits, x);
    mine.add(x, scale);
  };
  const int step = threads(), kept_end = part.end < kept.end ? part.end : kept.end;
  int v = part.begin + thread(), asked = v;
  const auto ask = [&] {
#pragma unroll
    for (int i = 0; i < GROUP; i++, asked += step) {
      if (asked < kept_end) copy_async(kept.vector(asked), row.vector(asked), true);
    }
    commit_copies();
  };
#pragma unroll 1
  for (int i = 0; i < GROUPS; i++) ask();
  while (v < kept_end) {
    wait_for_copies<GROUPS - 1>();
#pragma unroll
    for (int i = 0; i < GROUP; i++) {
      if (v >= kept_end) break;
      take(*kept.vector(v));
      v += step;
    }
    ask();
  }
  for (; v < part.end; v += IN_FLIGHT * step) {
    Bits16 bits[IN_FLIGHT];
#pragma unroll
    for (int i = 0; i < IN_FLIGHT; i++) {
      if (v + i * step < part.end) bits[i] = *row.vector(v + i * step);
    }
#pragma unroll
    for (int i = 0; i < IN_FLIGHT; i++) {
      if (v + i * step < part.end) take(bits[i]);
    }
  }
  if (part.leads && thread() < row.head) {
    const float x[1] = {row.at(thread())};
    mine.add(x, scale);
  }
  if (part.trails && thread() < row.tail) {
    const float x[1] = {row.at(row.cols - row.tail + thread())};
    mine.add(x, scale);
  }
  return mine;
}

// Replaces every element of the range by f of it: first those that are not kept, from the end, which is still in the
// cache.
template <class T, class F>
HIR_GPU void backward(const Row<T> &row, const Range &range, const Kept &kept, F f) {
  constexpr int IN_FLIGHT = 4;
  const int step = threads();
  const auto put = [&](int v, const Bits16 &bits) {
    float x[LANES<T>];
    unpack(bits, x);
#pragma unroll
    for (int j = 0; j < LANES<T>; j++) x[j] = f(x[j]);
    *row.vector(v) = pack(x);
  };
  const int rounds = (range.end - kept.end + IN_FLIGHT * step - 1) / (IN_FLIGHT * step);
  for (int v = kept.end + (rounds - 1) * IN_FLIGHT * step + thread(); v >= kept.end; v -= IN_FLIGHT * step) {
    Bits16 bits[IN_FLIGHT];
#pragma unroll
    for (int i = 0; i < IN_FLIGHT; i++) {
      if (v + i * step < range.end) bits[i] = *row.vector(v + i * step);
    }
#pragma unroll
    for (int i = 0; i < IN_FLIGHT; i++) {
      if (v + i * step < range.end) put(v + i * step, bits[i]);
    }
  }
#pragma unroll 2
  for (int v = kept.begin + thread(); v < kept.end; v += step) put(v, *kept.vector(v));
  if (range.leads && thread() < row.head) store(row.data + thread(), f(row.at(thread())));
  if (range.trails && thread() < row.tail) {
    const int i = row.cols - row.tail + thread();
    store(row.data + i, f(row.at(i)));
  }
}

template <class T>
HIR_GPU void clear(const Row<T> &row, const Range &range) {
  for (int v = range.begin + thread(); v < range.end; v += threads()) *row.vector(v) = bits16(0, 0, 0, 0);
  if (range.leads && thread() < row.head) store(row.data + thread(), 0.0f);
  if (range.trails && thread() < row.tail) store(row.data + row.cols - row.tail + thread(), 0.0f);
}

template <class T>
HIR_GPU void write(const Arguments<T> &a, int64_t at, float logprob, float entropy, const double *terms) {
  if (a.loss.logprobs) a.loss.logprobs[at] = logprob;
  if (a.loss.entropies) a.loss.entropies[at] = entropy;
  for (int i = 0; i < SUMS; i++) a.terms[at * SUMS + i] = terms ? terms[i] : 0.0;
}

template <class T>
HIR_GPU void fail_row(const Arguments<T> &a, int64_t at, Fault fault) {
  report(a.faults, KernelId::POLICY_LOSS, fault, at);
  write(a, at, NAN, NAN, nullptr);
}

template <class T>
HIR_KERNEL(MOST_THREADS, BLOCKS)
policy_loss_kernel(Arguments<T> a) {
  Shared &s = *shared<Shared>();
  const unsigned cluster = static_cast<unsigned>(a.cluster), index = static_cast<unsigned>(block());
  const int rank = static_cast<int>(index % cluster);
  const int64_t at = index / cluster;
  const Row<T> row(a.logits + at * a.stride, a.cols);
  const int parts_here = a.parts / a.cluster, first_part = rank * parts_here;
  const Range range(row, first_part, first_part + parts_here, a.parts);
  const bool first = rank == 0 && thread() == 0;

  const float weight = a.loss.weights[at];
  const int64_t target = a.loss.targets[at];
  const bool nan_input = has_nan(a.loss, at);  // before the first branch: one latency for all of these loads
  if (weight == 0.0f) {  // masked: its logits may be anything
    clear(row, range);
    if (first) write(a, at, 0.0f, 0.0f, nullptr);
    return;
  }
  const bool inside = target >= 0 && target < a.cols;
  if (!inside || nan_input) {
    if (first) fail_row(a, at, inside ? Fault::NAN_INPUT : Fault::TARGET);
    return;
  }

  const float scale = static_cast<float>(LOG2E / a.loss.temperature);
  const float logit = row.at(static_cast<int>(target));  // before anyone writes over it
  const int fit = range.begin + a.vectors_kept;
  const Kept kept = {reinterpret_cast<Bits16 *>(&s + 1), range.begin, fit < range.end ? fit : range.end};
  for (int i = 0; i < parts_here; i++) {
    const Range part(row, first_part + i, first_part + i + 1, a.parts);
    const SoftmaxSum sum = block_softmax(forward(row, part, kept, scale), scale, s.places);
    if (thread() == 0) s.parts[i] = sum;
    barrier();
  }
  if (a.cluster > 1) {
    cluster_arrive();
    cluster_wait();
  }
  if (warp() == 0) {
    SoftmaxSum sum;
    if (lane() < a.parts) sum = a.cluster > 1 ? *of_cluster(&s.parts[0], lane()) : s.parts[lane()];
    const RowSoftmax softmax(warp_softmax(sum, scale));
    const double temperature = a.loss.temperature, logprob = softmax.logprob(logit, temperature);
    const Surrogate token = surrogate(a.loss, at, logprob, softmax.entropy);
    if (first && softmax.valid) write(a, at, static_cast<float>(logprob), static_cast<float>(softmax.entropy), token.terms);
    if (first && !softmax.valid) fail_row(a, at, softmax.fault());
    const double g = token.grad_logprob, h = token.grad_entropy, p = exp(logprob);
    const double by_entropy = p > 0 ? h * p * (logprob + softmax.entropy) : 0;
    if (lane() == 0) {
      s.valid = softmax.valid;
      s.flat = g == 0 && h == 0;
      s.gradient = Gradient(softmax, scale, g, h, temperature);
      s.at_target = static_cast<float>((g * (1 - p) - by_entropy) / temperature);
    }
  }
  barrier();
  if (a.cluster > 1) cluster_arrive_reader();  // nothing more is read of others
  if (s.valid && s.flat) clear(row, range);
  if (s.valid && !s.flat) {
    backward(row, range, kept, s.gradient);
    barrier();
    const int vector = (static_cast<int>(target) - row.head) / LANES<T>;
    const bool mine = target < row.head                             ? range.leads
                      : target >= row.head + row.vectors * LANES<T> ? range.trails
                                                                    : vector >= range.begin && vector < range.end;
    if (mine && thread() == 0) store(row.data + target, s.at_target);
  }
  if (a.cluster > 1) cluster_wait();  // for others to have read this block's
}

struct SumArguments {
  const double *terms;
  int64_t rows;
  double *sums;
};

constexpr int SUM_THREADS = 512;

// In a fixed order on any device: each thread sums its rows, then the block.
HIR_KERNEL(SUM_THREADS, 1)
sum_terms_kernel(SumArguments a) {
  double *const places = shared<double>();  // [SUMS][warps]
  double mine[SUMS] = {};
#pragma unroll 2
  for (int64_t row = thread(); row < a.rows; row += threads()) {
#pragma unroll
    for (int i = 0; i < SUMS; i++) mine[i] += a.terms[row * SUMS + i];
  }
#pragma unroll
  for (int i = 0; i < SUMS; i++) {
    const double sum = warp_reduce(mine[i], Sum());
    if (lane() == 0) places[i * warps() + warp()] = sum;
  }
  barrier();
  if (warp() >= SUMS) return;
  const double sum = warp_reduce(lane() < warps() ? places[warp() * warps() + lane()] : 0.0, Sum());
  if (lane() == 0) a.sums[warp()] = sum;
}

template <class T>
int32_t run(const Place &place, const Matrix &logits, const PolicyLoss &loss) {
  Call call("policy_loss", place);
  double *terms = static_cast<double *>(call.scratch(sizeof(double) * SUMS * (logits.rows + 1)));
  if (call.failed()) return call.result();
  double *sums = terms + SUMS * logits.rows;
  const int64_t vectors = logits.cols * static_cast<int64_t>(sizeof(T)) / VECTOR_BYTES;
  int parts = 1;  // of the row's size alone: the order of the sums
  while (parts < MOST_PARTS && part_vectors(vectors, parts) * VECTOR_BYTES > PART_BYTES) parts *= 2;
  const int cluster = parts <= call.most_cluster() ? parts : 1;
  const int64_t own = part_vectors(vectors, parts) * (parts / cluster);
  const int64_t room = static_cast<int64_t>((call.most_shared() - sizeof(Shared)) / VECTOR_BYTES);
  const int kept = static_cast<int>(own < room ? own : room);
  const Arguments<T> arguments = {
      static_cast<T *>(logits.data), logits.cols, logits.stride, loss, terms, parts, cluster, kept, call.faults()};
  const int threads = row_threads(part_vectors(vectors, parts) * VECTOR_BYTES, MOST_THREADS);
  call.launch(policy_loss_kernel<T>, logits.rows * cluster, threads,
              sizeof(Shared) + static_cast<size_t>(kept) * VECTOR_BYTES, arguments, cluster);
  const SumArguments sum = {terms, logits.rows, sums};
  call.launch(sum_terms_kernel, 1, SUM_THREADS, sizeof(double) * SUMS * (SUM_THREADS / WARP), sum);
  call.read(loss.sums, sums, sizeof(double) * SUMS);
  return call.result();
}

}  // namespace

int32_t policy_loss(const Place &place, const Matrix &logits, const PolicyLoss &loss) {
  return logits.dtype == HIR_BFLOAT16 ? run<bf16>(place, logits, loss) : run<float>(place, logits, loss);
}

}  // namespace hir::HIR_DEVICE
